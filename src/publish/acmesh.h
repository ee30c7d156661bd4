/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acmesh.h - what a hook of acme.sh says about itself: the options it needs, from its own "dns_x_info".
 */
#ifndef PUBLISH_ACMESH_H
#define PUBLISH_ACMESH_H

#include "publish/publisher.h"

struct acmesh_option { /* owned */
	char *name;     /* PDNS_Url */
	char *help;     /* one sentence or more, safe to show */
	char *standard; /* default, or NULL */
	bool optional;  /* it says so (JSON: "required": "0"), or has a default, or belongs to the alternative set (OptionsAlt) */
};

struct acmesh_info {
	char *title, *site;
	struct acmesh_option *options;
	size_t n;
};

/* The hook's info, lines or a list in JSON; what it does not know is skipped, at most 40 options are taken. ret must be empty. */
void acmesh_info_parse(const char *text, size_t n, struct acmesh_info *ret);
void acmesh_info_done(struct acmesh_info *i);
#define _cleanup_acmesh_info_ __attribute__((cleanup(acmesh_info_done)))

/* "dns_x": letters, digits and underscores. */
bool acmesh_hook_ok(const char *hook);
/* Asks the hook of the administrator's copy. INVALID when there is no such hook. */
int acmesh_info_read(const struct publish_env *env, const char *program, const char *hook, struct acmesh_info *ret, struct err *err);

#endif
