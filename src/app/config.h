/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - the configuration: one table of keys with their documentation in the row, read from flags, environment, file and
 * defaults, in this order. A snapshot: a reload makes a new one.
 *
 *	--set section.key=value   >   CERTWRIGHT_SECTION_KEY   >   the file   >   the default
 *
 * Nothing is guessed: an unknown or repeated key, a value out of its limits, and a secret in the file are errors. All of them
 * are found in one pass, each with where it stands, so that `config check` shows every problem at once.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/log.h"
#include "base/str.h"

#include <stdio.h>

#define CONFIG_STATE_DEFAULT "/var/lib/certwright"
#define CONFIG_FILE_DEFAULT "/etc/certwright/certwright.conf"

enum config_type {
	CONFIG_TEXT,
	CONFIG_PATH,
	CONFIG_PATHS,
	CONFIG_INT,
	CONFIG_BOOL,
	CONFIG_WORD,      /* one of a few */
	CONFIG_WORDS,     /* a list of any */
	CONFIG_HOST,      /* a DNS name */
	CONFIG_ADDRESSES, /* address:port list */
	CONFIG_IPS,       /* address list */
	CONFIG_CIDRS,
	CONFIG_URL,       /* sqlite:PATH or postgresql://... ; http://... for a proxy */
};

struct config {
	char *state; /* the folder of everything the server keeps, absolute */
	char *file;  /* the file that was read, or NULL */

	struct strlist api_listen;
	char *api_tls_cert, *api_tls_key, *api_certificate, *api_public_url;
	struct strlist api_allow_from, api_trusted_proxies;
	struct strlist dns_listen;
	char *dns_hostname, *dns_zone;
	struct strlist dns_public_addresses;
	int64_t dns_rate_limit;
	struct strlist http01_listen;
	bool http01_redirect_https;
	char *store_url, *store_password_file;
	struct strlist keys_master;
	char *acme_trial_directory;
	char *net_proxy, *net_proxy_user, *net_proxy_password_file, *net_no_proxy, *net_trust;
	struct strlist net_allow;
	char *run_user, *run_runner_user, *run_sockets;
	char *backup_dir, *backup_passphrase_file;
	int64_t backup_keep, backup_warn_after;
	struct strlist backup_recipients;
	int64_t retention_events, retention_queries;
	char *log_level, *log_format, *log_target, *log_target_ca, *log_target_fingerprint;
	char *heartbeat_url, *heartbeat_method;
	int64_t heartbeat_every;
	int64_t engine_workers;
	struct strlist metrics_allow_from;
	struct strlist resolve_servers;
	bool resolve_ask_view;
	struct strlist programs; /* "name=/absolute/path", the free keys of [programs]; sorted */
	struct strlist webroots; /* the same of [webroots]: document roots that HTTP-01 files may be written below */
};

struct config_key {
	const char *name; /* "section.key"; NULL ends the table */
	enum config_type type;
	size_t offset;
	const char *def;
	int64_t min, max;
	const char *unit;
	const char *words; /* blank-separated, for CONFIG_WORD */
	bool reloadable;
	const char *help;
};

extern const struct config_key config_keys[];

/* What the command line said. Borrowed. */
struct config_input {
	const char *file;          /* --config; NULL = the default file if it is there and state is not given */
	const char *state;         /* --state; NULL = CERTWRIGHT_STATE, then the default */
	const struct strlist *set; /* --set texts */
};

struct config_problem {
	char *where; /* "certwright.conf:12", "--set dns.listen", "environment CERTWRIGHT_DNS_LISTEN" */
	char *text;
};

struct config_problems {
	struct config_problem *v;
	size_t n, cap;
};

/* Reads everything. INVALID when there is a problem; all of them are in problems (which may be NULL), the first one in err. */
int config_read(const struct config_input *in, struct config *ret, struct config_problems *problems, struct err *err);
void config_done(struct config *c);
void config_problems_done(struct config_problems *p);
#define _cleanup_config_ __attribute__((cleanup(config_done)))
#define _cleanup_config_problems_ __attribute__((cleanup(config_problems_done)))

/* The value of a key as text, for `config show`; owned by the caller. */
char *config_value(const struct config *c, const struct config_key *k);
/* docs/generated/config.md */
void config_document(FILE *out);
/* A commented file with every key; those of set (as --set) are in force, the others show their default. */
int config_example(FILE *out, const struct strlist *set, struct err *err);
/* The arguments with which another of our programs reads the same configuration. */
void config_arguments(const struct config_input *in, const struct config *c, struct strlist *argv);
enum log_format config_log_format(const struct config *c); /* auto is decided by whether standard error is a terminal */
/* log_init by log.level and log.format. */
void config_log(const struct config *c, const char *process);

#endif
