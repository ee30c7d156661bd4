/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - is everything right with this server? The one table of looks (engine/checks.h walks it): those at the host itself, which
 * work also when the server is down, and those that only a running server can take. `certwright doctor` without a name takes the
 * first kind by itself on the server's host, and asks the server for the others through the API.
 */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/config.h"
#include "engine/checks.h"

/* What the looks of app get. In a server it lives as long as that. */
struct doctor {
	const struct config_input *input;
	const struct config *config; /* as the server runs; NULL on the host when it cannot be read */
	struct config_problems problems; /* why */
	char *known_keys;            /* what the database was sealed with, or NULL: not known */
	struct err store_why;        /* why it is not known */
	bool drop;                   /* we are root, and the server is: */
	uid_t uid;
	int64_t started_ms;          /* of the server; 0 on the host */
};

extern const struct check_def doctor_table[];

/* doctor_host.c */
void check_config(struct check *c);
void check_rights(struct check *c);
void check_master_key(struct check *c);
void check_last_error(struct check *c);
/* doctor_disk.c, doctor_ports.c */
void check_disk(struct check *c);
void check_ports(struct check *c);
void check_proxy(struct check *c);

/* The exit status: 0, or 7 when a row is an error. args: all behind the verb. */
int doctor_verb(int argc, char **argv);
/* The verb without a name, for which the host is looked at: what is no host's option goes to the API's verb. */
bool doctor_is_whole(int argc, char **argv);
/* docs/generated/checks.md */
void doctor_document(FILE *out);

#endif
