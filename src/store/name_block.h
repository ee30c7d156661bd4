/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_block.h - in which stretches of the inventory a text can stand (SQLite). A phrase of trigrams is found by walking the lists of all its
 * trigrams: a text whose trigrams stand in about every name, but which itself stands nowhere ("pleft" where all have "left-" and
 * "example"), takes 0.3 s of a million. So each block of NAME_BLOCK certificates, by number, is noted with the groups of GRAM letters its
 * names have. All groups of a text stand together in few blocks, mostly none, and these are walked. Names never change and numbers only
 * grow: a block is noted once, when it is full. What came since is walked over; what an older version left comes in by
 * store_name_blocks_mend, and until then the search does without. For files of this folder and the engine.
 */
#ifndef STORE_NAME_BLOCK_H
#define STORE_NAME_BLOCK_H

#include "store/store.h"

#define NAME_BLOCK 64
#define NAME_BLOCKS_FEW 12

/* Of a certificate that has just been added: notes the oldest block that is full and not noted yet, when this one fills one. */
int store_name_block_add(struct sql *tx, int64_t num, struct err *err) MUST_CHECK;
/* Notes all that are full, a few in each write, so that it holds up no other. */
int store_name_blocks_mend(struct store *s, struct err *err) MUST_CHECK;

struct name_blocks {
	int64_t from; /* certificates from this number on are in no block yet */
	int n;
	int64_t first[NAME_BLOCKS_FEW]; /* the number each begins with, the newest first */
};
/* In which blocks below that number the text can stand; false when that is not known, or too many to be worth it. */
int store_name_blocks_of(struct sql *q, const char *text, int64_t before, bool *ret_few, struct name_blocks *ret, struct err *err) MUST_CHECK;

#endif
