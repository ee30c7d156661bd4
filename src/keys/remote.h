/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.h - the key module as a process of its own behind socket pairs. Inside keys/ only.
 *
 * The process is forked by remote_open (call it before other threads run), closes every descriptor but its ends, opens the
 * ring itself, and ends when the other end is closed: the caller's memory never holds a master key or a private key.
 */
#ifndef KEYS_REMOTE_H
#define KEYS_REMOTE_H

#include "keys/keys.h"
#include "keys/message.h"

struct remote;

int remote_open(const struct keys_options *o, struct remote **ret, char **ret_check_text, struct err *err);
void remote_close(struct remote *r);
int remote_do(struct remote *r, const struct key_request *q, struct key_reply *ret, struct err *err);

#endif
