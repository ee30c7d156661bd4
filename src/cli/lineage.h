/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage.h - a certificate on disk in certbot's layout, so that everything that reads /etc/letsencrypt goes on as it is:
 *
 *	DIR/archive/NAME/{cert,chain,fullchain,privkey}N.pem   what there was, numbered
 *	DIR/live/NAME/{cert,chain,fullchain,privkey}.pem       symbolic links to the four of one number
 *	DIR/renewal/NAME.conf                                  for `certbot certificates`, with autorenew off; made only when there is none
 *
 * The four change at once: the new links are made in a folder of their own beside live/NAME, and the two folders change places in one
 * rename (RENAME_EXCHANGE). What else lies in live/NAME comes along (hard links). What was fetched (certwright.json) and
 * that a reload is owed (certwright-reload-owed) lie in that folder too and so are true of these links at every instant.
 *
 * Whatever ends the program in between, the next run finds either the old four or the new four, and sweeps what was left lying about: keys
 * are written only below archive/NAME/.certwright-new and renamed from there.
 */
#ifndef CLI_LINEAGE_H
#define CLI_LINEAGE_H

#include "base/secret.h"
#include "base/str.h"

#include <sys/types.h>

struct lineage {        /* borrowed */
	const char *dir;   /* absolute: /etc/letsencrypt */
	const char *name;  /* of the folder below live */
	bool group_given;
	gid_t group;       /* of new folders and keys, when given */
	int64_t keep;      /* numbers kept in the archive; 0 = all */
};

struct lineage_state {
	bool there;        /* live/NAME is */
	bool ours;         /* and was made by us */
	bool owed;         /* its reload was not done yet */
	char *source;      /* which certificate of which server */
	char *etag;
};
void lineage_state_done(struct lineage_state *s);
#define _cleanup_lineage_state_ __attribute__((cleanup(lineage_state_done)))

struct lineage_files { /* borrowed; texts end with a newline */
	struct str cert, chain, fullchain, privkey;
};

/* "example.com" of "*.example.com"; INVALID for what is no name of a folder. */
int lineage_name(const char *from, char **ret, struct err *err);
/* Makes DIR and its folders. BUSY while another run holds it; the lock ends with *ret_fd. */
int lineage_lock(const struct lineage *l, int *ret_fd, struct err *err);
/* The name under live that holds this source, or NULL. */
int lineage_find(const char *dir, const char *source, char **ret, struct err *err);
/* Under the lock: sweeps, then reads. */
int lineage_read(const struct lineage *l, struct lineage_state *ret, struct err *err);
/* CONFLICT when certbot renews this name by itself. */
int lineage_certbot_is_off(const struct lineage *l, struct err *err);
/* Under the lock: the new four, with source and etag, and a reload owed if wanted. *ret_number is theirs. */
int lineage_switch(const struct lineage *l, const struct lineage_files *files, const char *source, const char *etag, bool owe, int64_t *ret_number,
		   struct err *err);
int lineage_reloaded(const struct lineage *l, struct err *err);
char *lineage_path(const struct lineage *l); /* DIR/live/NAME, owned by the caller */

#endif
