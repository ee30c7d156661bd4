/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - see config.h. inih splits the lines; its cut at 200 bytes and its silence about repeated keys are caught here. */
#include "app/config.h"

#include "app/runner.h"
#include "app/syslog.h"

#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/idn.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <unistd.h>

extern char **environ;

#define KEY(name_, type_, member, ...) { .name = (name_), .type = CONFIG_##type_, .offset = offsetof(struct config, member), __VA_ARGS__ }

const struct config_key config_keys[] = {
	KEY("api.listen", ADDRESSES, api_listen, .def = "127.0.0.1:8443",
	    .help = "Where the HTTPS API and the page listen."),
	KEY("api.tls_cert", PATH, api_tls_cert, .reloadable = true,
	    .help = "Certificate chain (PEM) of the API; re-read when the file changes. Without it a self-signed one is made."),
	KEY("api.tls_key", PATH, api_tls_key, .reloadable = true, .help = "Private key (PEM) that belongs to api.tls_cert."),
	KEY("api.certificate", TEXT, api_certificate, .max = 64,
	    .help = "Number or id of a certificate managed here, with its key, that the API is served with; each new one is taken up without a restart. "
		    "Instead of api.tls_cert."),
	KEY("api.public_url", TEXT, api_public_url, .max = 512,
	    .help = "Address under which people reach the page, for links; default: https:// and the first address of api.listen."),
	KEY("api.allow_from", CIDRS, api_allow_from,
	    .help = "Networks that may reach the API and the page; others get no answer. Empty: everybody."),
	KEY("api.trusted_proxies", CIDRS, api_trusted_proxies,
	    .help = "Reverse proxies before the API: their X-Forwarded-For says who asks. From others it is ignored."),
	KEY("dns.listen", ADDRESSES, dns_listen, .def = "0.0.0.0:53, [::]:53",
	    .help = "Where Certwright's DNS server listens, UDP and TCP; 0.0.0.0 and [::] mean every address. Empty: not offered."),
	KEY("dns.hostname", HOST, dns_hostname,
	    .help = "Host name of this server in NS records: what _acme-challenge names are delegated to."),
	KEY("dns.zone", HOST, dns_zone, .help = "A zone of our own for the targets of CNAME records, if any."),
	KEY("dns.public_addresses", IPS, dns_public_addresses,
	    .help = "Addresses of dns.hostname as the Internet sees them, answered for names in dns.zone."),
	KEY("dns.rate_limit", INT, dns_rate_limit, .def = "200", .min = 0, .max = 1000000, .unit = "answers/s",
	    .help = "Answers of one kind to one /24 or /56; 0: no limit. Answers with live challenges are never limited."),
	KEY("http01.listen", ADDRESSES, http01_listen, .def = "0.0.0.0:80, [::]:80",
	    .help = "Where HTTP-01 challenges are answered. Empty: not offered."),
	KEY("http01.redirect_https", BOOL, http01_redirect_https, .def = "no",
	    .help = "Redirect requests for anything but a live token to https:// instead of answering 404."),
	KEY("store.url", URL, store_url, .max = 1024,
	    .help = "sqlite:PATH or postgresql://USER@HOST/DATABASE without a password; default: sqlite:STATE/certwright.db."),
	KEY("store.password_file", PATH, store_password_file, .help = "File with PostgreSQL's password."),
	KEY("keys.master", PATHS, keys_master,
	    .help = "Master key files, newest first; a name without a slash is a systemd credential. Default: STATE/master.key, made at the first start."),
	KEY("net.proxy", TEXT, net_proxy, .max = 512, .help = "HTTP proxy for calls to the outside: http://HOST:PORT; \"environment\": what HTTPS_PROXY and NO_PROXY say."),
	KEY("net.proxy_user", TEXT, net_proxy_user, .max = 256, .help = "User name that the proxy wants."),
	KEY("net.proxy_password_file", PATH, net_proxy_password_file,
	    .help = "File with the proxy's password; a name without a slash is a systemd credential."),
	KEY("net.no_proxy", TEXT, net_no_proxy, .max = 1024, .help = "Names and networks that are called directly."),
	KEY("net.trust", PATH, net_trust, .help = "File with further trusted CAs (PEM)."),
	KEY("net.allow", CIDRS, net_allow,
	    .help = "Private networks that may be called: an in-house CA, for instance. Link-local and metadata addresses never."),
	KEY("acme.trial_directory", TEXT, acme_trial_directory, .max = 512,
	    .help = "Directory URL of a test CA, which the page offers first when an account is registered; for trials."),
	KEY("run.user", TEXT, run_user, .def = "certwright", .max = 32, .help = "User to run as when started by root."),
	KEY("run.runner_user", TEXT, run_runner_user, .max = 32,
	    .help = "User that foreign programs run as when started by root; default: certwright-runner if there is such a user, else run.user."),
	KEY("run.sockets", PATH, run_sockets,
	    .help = "Folder of the sockets between the parts where systemd starts them: feed.sock, report.sock, runner.sock. Default: STATE, and the "
		    "supervisor makes them."),
	KEY("backup.dir", PATH, backup_dir,
	    .help = "Where `certwright backup` without --to, and the package's daily timer, put a backup. Another disk or host than the state folder's."),
	KEY("backup.keep", INT, backup_keep, .def = "14", .min = 1, .max = 10000, .unit = "files", .help = "How many backups stay in a folder; older ones are removed."),
	KEY("backup.passphrase_file", PATH, backup_passphrase_file,
	    .help = "File with the passphrase backups are sealed with. Keep a copy of it where the backups are not."),
	KEY("backup.recipients", WORDS, backup_recipients,
	    .help = "Whom backups are sealed for instead of a passphrase: public halves of `certwright key create-recipient`. The secret halves do "
		    "not belong on this host."),
	KEY("backup.warn_after", INT, backup_warn_after, .def = "48", .min = 1, .max = 8784, .unit = "hours",
	    .help = "A last backup that is older is a warning on every page and a notification."),
	KEY("retention.events", INT, retention_events, .def = "730", .min = 30, .max = 36500, .unit = "days",
	    .help = "How long the story of orders that are over, of certificates and of notices is kept. The audit is kept for ever."),
	KEY("retention.queries", INT, retention_queries, .def = "30", .min = 1, .max = 3650, .unit = "days",
	    .help = "How long it is kept what was asked of our DNS about delegations."),
	KEY("log.level", WORD, log_level, .def = "info", .words = "debug info warning error", .reloadable = true, .help = "What is logged."),
	KEY("log.format", WORD, log_format, .def = "auto", .words = "auto logfmt json",
	    .help = "auto: logfmt on a terminal, JSON lines otherwise."),
	KEY("log.target", TEXT, log_target, .max = 300,
	    .help = "syslog://HOST:6514: every line of the server also goes to this collector, as RFC 5424 over TLS. The local log stays as it is."),
	KEY("log.target_ca", PATH, log_target_ca, .help = "File with the CAs (PEM) that the collector's certificate is judged by; default: as for other calls."),
	KEY("log.target_fingerprint", TEXT, log_target_fingerprint, .max = 128,
	    .help = "SHA-256 fingerprint of the collector's certificate; then nothing else of it is judged."),
	KEY("heartbeat.url", TEXT, heartbeat_url, .max = 1024,
	    .help = "A request goes there every few minutes while all is well: whoever runs it notices when none comes."),
	KEY("heartbeat.method", WORD, heartbeat_method, .def = "GET", .words = "GET POST", .help = "How it is asked."),
	KEY("heartbeat.every", INT, heartbeat_every, .def = "5", .min = 1, .max = 1440, .unit = "minutes", .help = "How often."),
	KEY("engine.workers", INT, engine_workers, .def = "32", .min = 1, .max = 64, .unit = "threads",
	    .help = "How many orders and jobs are worked on at once."),
	KEY("metrics.allow_from", CIDRS, metrics_allow_from, .def = "127.0.0.0/8, ::1",
	    .help = "Networks that may read /metrics without signing in."),
	KEY("resolve.servers", ADDRESSES, resolve_servers,
	    .help = "Resolvers for finding the authoritative servers of a name. Default: those of /etc/resolv.conf."),
	KEY("resolve.ask_view", BOOL, resolve_ask_view, .def = "no",
	    .help = "Ask resolve.servers for the challenge value too, where the network lets no DNS out to the authoritative servers."),
	{ 0 }
};

static const char *const type_names[] = {
	[CONFIG_TEXT] = "text", [CONFIG_PATH] = "path", [CONFIG_PATHS] = "list of paths", [CONFIG_INT] = "number", [CONFIG_BOOL] = "yes or no",
	[CONFIG_WORD] = "word", [CONFIG_WORDS] = "list of words", [CONFIG_HOST] = "host name", [CONFIG_ADDRESSES] = "list of address:port", [CONFIG_IPS] = "list of addresses",
	[CONFIG_CIDRS] = "list of networks", [CONFIG_URL] = "URL",
};

static bool is_list(enum config_type t)
{
	return t == CONFIG_PATHS || t == CONFIG_WORDS || t == CONFIG_ADDRESSES || t == CONFIG_IPS || t == CONFIG_CIDRS;
}

static size_t key_count(void)
{
	return ARRAY_SIZE(config_keys) - 1;
}

static const struct config_key *key_find(const char *name)
{
	for (const struct config_key *k = config_keys; k->name; k++)
		if (streq(k->name, name))
			return k;
	return NULL;
}

/* ---- collecting values ------------------------------------------------------------------------------------------- */

struct value {
	char *text;
	char *where;
	int rank; /* 1 file, 2 environment, 3 flag */
};

struct free_key { /* of [programs] or [webroots] */
	char *name;
	struct value value;
};

struct reading {
	struct value *values; /* one per key */
	struct free_key *free_keys;
	size_t n_free;
	struct config_problems *problems;
	const char *file;
	FILE *f;
	int line;
	bool indented; /* the line continues the one above */
};

static void problem(struct config_problems *p, const char *where, const char *fmt, ...) PRINTF(3, 4);
static void problem(struct config_problems *p, const char *where, const char *fmt, ...)
{
	struct buf b = BUF_MAX(1024);
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 8;
		p->v = xrealloc(p->v, p->cap * sizeof *p->v);
	}
	buf_add_str(&b, text);
	p->v[p->n].where = xstrdup(where);
	p->v[p->n].text = xstrdup(buf_text(&b));
	p->n++;
	buf_done(&b);
}

static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (strlen(a) >= 64 || n >= 63)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			best = MIN(best, up + 1);
			best = MIN(best, row[j - 1] + 1);
			diagonal = up;
			row[j] = best;
		}
	}
	return row[n];
}

static void unknown_key(struct config_problems *p, const char *where, const char *name)
{
	const char *near = NULL;
	size_t best = 4;
	_cleanup_free_ char *safe = str_clean(name, strlen(name), 80);

	for (const struct config_key *k = config_keys; k->name; k++) {
		size_t d = distance(name, k->name);

		if (d < best) {
			best = d;
			near = k->name;
		}
	}
	if (near)
		problem(p, where, "'%s' is not a key; did you mean '%s'?", safe, near);
	else
		problem(p, where, "'%s' is not a key; docs/generated/config.md and `certwright config keys` list them", safe);
}

static void value_take(struct reading *r, const struct config_key *k, const char *text, const char *where, int rank)
{
	struct value *v = &r->values[k - config_keys];

	if (v->rank > rank)
		return;
	replace_str(&v->text, text);
	replace_str(&v->where, where);
	v->rank = rank;
}

/* ---- free keys: [programs] and [webroots] ---------------------------------------------------------------------------- */

#define PROGRAMS "programs."
#define WEBROOTS "webroots."
#define FREE_KEYS_MAX 128

static bool free_key_take(struct reading *r, const char *full, const char *text, const char *where, int rank)
{
	size_t i = 0;

	if (!str_starts(full, PROGRAMS) && !str_starts(full, WEBROOTS))
		return false;
	while (i < r->n_free && !streq(r->free_keys[i].name, full))
		i++;
	if (i < r->n_free && r->free_keys[i].value.rank == rank && rank == 1) {
		problem(r->problems, where, "'%.80s' is given twice, first at %s", full, r->free_keys[i].value.where);
		return true;
	}
	if (i == r->n_free) {
		if (i == FREE_KEYS_MAX) {
			problem(r->problems, where, "[programs] and [webroots] name more than %d", FREE_KEYS_MAX);
			return true;
		}
		r->free_keys = xrealloc(r->free_keys, (i + 1) * sizeof *r->free_keys);
		r->free_keys[r->n_free++] = (struct free_key){ .name = xstrdup(full) };
	}
	if (r->free_keys[i].value.rank > rank)
		return true;
	replace_str(&r->free_keys[i].value.text, text);
	replace_str(&r->free_keys[i].value.where, where);
	r->free_keys[i].value.rank = rank;
	return true;
}

/* A directory may come later (a mount); what it is called may not depend on where we stand. */
static int webroot_check(const char *path, struct err *err)
{
	if (*path != '/' || strstr(path, "/../") || str_ends(path, "/.."))
		return err_set(err, ERR_INVALID, "'%s' is not an absolute path without '..'", path);
	if (streq(path, "/"))
		return err_set(err, ERR_INVALID, "'/' is no document root");
	return 0;
}

static void free_keys_set(struct config *c, struct reading *r)
{
	for (size_t i = 0; i < r->n_free; i++) {
		struct free_key *p = &r->free_keys[i];
		bool program = str_starts(p->name, PROGRAMS);
		const char *section = program ? PROGRAMS : WEBROOTS, *name = p->name + strlen(section);
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *text = xstrndup(p->value.text, strcspn(p->value.text, "\r\n")), *words = NULL;
		_cleanup_free_ char *safe = str_clean(name, strlen(name), 40), *pair = NULL;

		if (!runner_name_ok(name)) {
			problem(r->problems, p->value.where, "%s%s: a name has letters a-z, digits, '-' and '_', at most 32", section, safe);
		} else if ((program ? runner_program_check : webroot_check)(text, &why) < 0) {
			words = err_text(&why);
			problem(r->problems, p->value.where, "%s%s: %s", section, safe, words);
		}
		pair = xasprintf("%s=%s", name, text);
		strlist_add(program ? &c->programs : &c->webroots, pair);
		free(p->name);
		free(p->value.text);
		free(p->value.where);
	}
	free(r->free_keys);
	strlist_sort_unique(&c->programs);
	strlist_sort_unique(&c->webroots);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* What inih would pass over in silence or report only once; such a line is handed on as a comment. */
static const char *line_fault(const char *s, size_t n, size_t max)
{
	const char *end = s + n;

	if (n + 1 == max && s[n - 1] != '\n')
		return "the line is longer than 198 bytes; a list may go on in the next, indented line";
	if (memchr(s, '\0', n) || !utf8_valid(s, n))
		return "the line is not text (UTF-8)";
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	while (s < end && isspace((unsigned char)*s))
		s++;
	if (s == end || *s == ';' || *s == '#')
		return NULL;
	if (*s == '[')
		return memchr(s, ']', (size_t)(end - s)) ? NULL : "the section has no ']'";
	return NULL;
}

static char *read_line(char *b, int n, void *arg)
{
	struct reading *r = arg;
	const char *fault;
	char where[PATH_MAX + 16], *start;
	size_t length;

	memset(b, 0, (size_t)n);
	if (!fgets(b, n, r->f))
		return NULL;
	r->line++;
	/* fgets hides where it stopped when there is a NUL inside: the last non-zero byte tells */
	for (length = (size_t)n - 1; length > 0 && !b[length - 1]; length--)
		;
	fault = length ? line_fault(b, length, (size_t)n) : NULL;
	start = b + strspn(b, " \t");
	r->indented = start > b && *start && *start != ';' && *start != '#' && *start != '\n';
	if (!fault && !r->indented && *start && !strchr(";#[\r\n", *start) && !strpbrk(start, "=:"))
		fault = "the line is neither a [section] nor key = value";
	if (fault) {
		snprintf(where, sizeof where, "%s:%d", r->file, r->line);
		problem(r->problems, where, "%s", fault);
		while (length && b[length - 1] != '\n' && length + 1 == (size_t)n && fgets(b, n, r->f))
			length = strlen(b);
		snprintf(b, (size_t)n, "#\n");
		r->indented = false;
	}
	return b;
}

static int on_value(void *arg, const char *section, const char *name, const char *text)
{
	struct reading *r = arg;
	_cleanup_free_ char *full = *section ? xasprintf("%s.%s", section, name) : xstrdup(name);
	const struct config_key *k = key_find(full);
	char where[PATH_MAX + 16];
	struct value *v;

	snprintf(where, sizeof where, "%s:%d", r->file, r->line);
	if (!k && r->indented && str_starts(full, PROGRAMS)) {
		problem(r->problems, where, "the indented line continues '%.80s', which is not a list", full);
		return 1;
	}
	if (!k && free_key_take(r, full, text, where, 1))
		return 1;
	if (!k) {
		unknown_key(r->problems, where, full);
		return 1;
	}
	v = &r->values[k - config_keys];
	if (v->rank == 1 && r->indented && is_list(k->type)) {
		_cleanup_free_ char *both = xasprintf("%s, %s", v->text, text);

		replace_str(&v->text, both);
	} else if (v->rank == 1 && r->indented) {
		problem(r->problems, where, "the indented line continues '%s', which is not a list", full);
	} else if (v->rank == 1) {
		problem(r->problems, where, "'%s' is given twice, first at %s", full, v->where);
	} else {
		value_take(r, k, text, where, 1);
	}
	return 1;
}

static void read_file(struct reading *r, const char *path)
{
	char where[PATH_MAX + 16];
	int rc;

	r->file = path;
	r->f = fopen(path, "re");
	if (!r->f) {
		problem(r->problems, path, "could not be opened: %s", strerror(errno));
		return;
	}
	rc = ini_parse_stream(read_line, r, on_value, r);
	if (rc > 0) {
		snprintf(where, sizeof where, "%s:%d", path, rc);
		problem(r->problems, where, "the line cannot be read");
	} else if (ferror(r->f)) {
		problem(r->problems, path, "could not be read");
	}
	fclose(r->f);
	r->f = NULL;
}

/* ---- environment and flags --------------------------------------------------------------------------------------- */

static bool section_known(const char *prefix, size_t n)
{
	_Static_assert(sizeof PROGRAMS == sizeof WEBROOTS, "one length for both");
	if (n == strlen(PROGRAMS) - 1 && (!strncasecmp(prefix, PROGRAMS, n) || !strncasecmp(prefix, WEBROOTS, n)))
		return true;
	for (const struct config_key *k = config_keys; k->name; k++)
		if (strcspn(k->name, ".") == n && !strncasecmp(k->name, prefix, n))
			return true;
	return false;
}

static void read_environment(struct reading *r)
{
	static const char prefix[] = "CERTWRIGHT_";

	for (char **e = environ; *e; e++) {
		const char *name = *e + strlen(prefix), *eq = strchr(*e, '=');
		_cleanup_free_ char *key = NULL, *where = NULL;
		const struct config_key *k;
		char *dot;

		if (!str_starts(*e, prefix) || !eq || eq < name)
			continue;
		key = xstrndup(name, (size_t)(eq - name));
		dot = strchr(key, '_');
		if (!dot || !section_known(key, (size_t)(dot - key)))
			continue; /* not ours: CERTWRIGHT_STATE, CERTWRIGHT_SERVER, ... */
		where = xasprintf("environment %s%s", prefix, key);
		*dot = '.';
		str_lower(key);
		k = key_find(key);
		if (k)
			value_take(r, k, eq + 1, where, 2);
		else if (!free_key_take(r, key, eq + 1, where, 2))
			unknown_key(r->problems, where, key);
	}
}

static void read_flags(struct reading *r, const struct strlist *set)
{
	for (size_t i = 0; set && i < set->n; i++) {
		const char *text = set->v[i], *eq = strchr(text, '=');
		_cleanup_free_ char *name = eq ? xstrndup(text, (size_t)(eq - text)) : NULL, *where = NULL;
		const struct config_key *k = name ? key_find(name) : NULL;

		if (!eq) {
			_cleanup_free_ char *safe = str_clean(text, strlen(text), 80);

			problem(r->problems, "--set", "'%s' is not section.key=value", safe);
			continue;
		}
		where = xasprintf("--set %.*s", (int)(eq - text), text);
		if (!k && free_key_take(r, name, eq + 1, where, 3))
			continue;
		if (!k) {
			unknown_key(r->problems, "--set", name);
			continue;
		}
		value_take(r, k, eq + 1, where, 3);
	}
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int item_check(enum config_type t, const char *s, struct err *err)
{
	union addr a;
	struct cidr c;

	switch (t) {
	case CONFIG_ADDRESSES:
		return addr_parse(s, &a, err);
	case CONFIG_IPS:
		return addr_parse_ip(s, &a, err);
	case CONFIG_CIDRS:
		return cidr_parse(s, &c, err);
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_PATHS:
	case CONFIG_INT:
	case CONFIG_BOOL:
	case CONFIG_WORD:
	case CONFIG_WORDS:
	case CONFIG_HOST:
	case CONFIG_URL:
		break;
	}
	return 0;
}

static int list_set(const struct config_key *k, const char *text, struct strlist *ret, struct err *err)
{
	const char *p = text;

	for (;;) {
		_cleanup_free_ char *item = NULL;
		size_t n;

		p += strspn(p, ", \t");
		n = strcspn(p, ", \t");
		if (!n)
			return 0;
		item = xstrndup(p, n);
		p += n;
		if (item_check(k->type, item, err) < 0)
			return -(int)err->code;
		if (strlist_has(ret, item))
			return err_set(err, ERR_INVALID, "'%s' is listed twice", item);
		if (ret->n >= 32)
			return err_set(err, ERR_INVALID, "more than 32 entries");
		strlist_add(ret, item);
	}
}

static bool word_known(const char *words, const char *s)
{
	size_t n = strlen(s);

	for (const char *p = words; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && !strncmp(p, s, n))
			return true;
	return false;
}

static int bool_set(const char *s, bool *ret, struct err *err)
{
	static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(s, yes[i]))
			return *ret = true, 0;
		if (streq(s, no[i]))
			return *ret = false, 0;
	}
	return err_set(err, ERR_INVALID, "'%s' is neither yes nor no", s);
}

/* A password in an URL would be readable by whoever reads the file, the process list or a log. */
static int url_check(const char *s, struct err *err)
{
	const char *at, *colon, *end;

	if (str_starts(s, "sqlite:"))
		return s[strlen("sqlite:")] ? 0 : err_set(err, ERR_INVALID, "sqlite: needs a path");
	if (!str_starts(s, "postgresql://") && !str_starts(s, "postgres://"))
		return err_set(err, ERR_INVALID, "'%s' is neither sqlite:PATH nor postgresql://USER@HOST/DATABASE", s);
	s = strstr(s, "//") + 2;
	end = s + strcspn(s, "/?");
	at = memchr(s, '@', (size_t)(end - s));
	colon = at ? memchr(s, ':', (size_t)(at - s)) : NULL;
	if (colon || strstr(s, "password="))
		return err_set(err, ERR_INVALID, "no password belongs here: put it in a file and name that in store.password_file");
	return 0;
}

static int value_set(struct config *c, const struct config_key *k, const char *text, struct err *err)
{
	void *to = (char *)c + k->offset;
	_cleanup_free_ char *s = NULL;
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	if (!utf8_valid(text, n))
		return err_set(err, ERR_INVALID, "the value is not UTF-8");
	if (n > 4096 || (k->max && k->type != CONFIG_INT && n > (size_t)k->max))
		return err_set(err, ERR_INVALID, "the value is longer than %" PRId64 " bytes", k->max ? k->max : 4096);
	s = xstrndup(text, n);
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, ERR_INVALID, "the value holds a control character");
	switch (k->type) {
	case CONFIG_INT:
		return str_to_i64(s, k->min, k->max, to, err);
	case CONFIG_BOOL:
		return bool_set(s, to, err);
	case CONFIG_PATHS:
	case CONFIG_WORDS:
	case CONFIG_ADDRESSES:
	case CONFIG_IPS:
	case CONFIG_CIDRS:
		return list_set(k, s, to, err);
	case CONFIG_WORD:
		if (!word_known(k->words, s))
			return err_set(err, ERR_INVALID, "'%s' is not one of: %s", s, k->words);
		break;
	case CONFIG_HOST:
		if (*s) {
			_cleanup_free_ char *name = NULL;

			if (name_canonical(s, &name, err) < 0)
				return -(int)err->code;
			if (name_is_wildcard(name))
				return err_set(err, ERR_INVALID, "'%s' is a wildcard, a host name is needed", s);
			*(char **)to = TAKE(name);
			return 0;
		}
		break;
	case CONFIG_URL:
		if (*s && url_check(s, err) < 0)
			return -(int)err->code;
		break;
	case CONFIG_TEXT:
	case CONFIG_PATH:
		break;
	}
	*(char **)to = *s ? TAKE(s) : NULL;
	return 0;
}

/* "https://host[:port][/]": it becomes a link people follow. */
static int page_url_check(const char *s, struct err *err)
{
	size_t n = str_starts(s, "https://") ? strlen("https://") : 0, host;
	union addr a;
	_cleanup_free_ char *with_port = NULL, *name = NULL;
	_cleanup_err_ struct err no = ERR_INIT;

	host = n ? strcspn(s + n, "/?#") : 0;
	if (!host || (s[n + host] && !streq(s + n + host, "/")) || memchr(s + n, '@', host))
		return err_set(err, ERR_INVALID, "'%s' is not https://HOST or https://HOST:PORT", s);
	with_port = xasprintf("%.*s%s", (int)host, s + n, s[n + host - 1] == ']' || !memchr(s + n, ':', host) ? ":443" : "");
	if (addr_parse(with_port, &a, &no) == 0)
		return 0;
	name = xstrndup(s + n, strcspn(s + n, ":/"));
	{
		_cleanup_free_ char *canonical = NULL;
		int64_t port = 443;

		if (s[n + strlen(name)] == ':') {
			_cleanup_free_ char *digits = xstrndup(s + n + strlen(name) + 1, host - strlen(name) - 1);

			if (str_to_i64(digits, 1, 65535, &port, err) < 0)
				return err_wrap(err, "'%s' has no port", s);
		}
		return name_canonical(name, &canonical, err);
	}
}

static int directory_check(const char *s, struct err *err)
{
	size_t n = str_starts(s, "https://") ? strlen("https://") : 0;

	if (!n || !strcspn(s + n, "/?#") || s[strcspn(s, " \t@")])
		return err_set(err, ERR_INVALID, "'%s' is not https://HOST/PATH", s);
	return 0;
}

static int target_check(const char *s, struct err *err)
{
	_cleanup_free_ char *host = NULL;
	uint16_t port;

	return syslog_target_parse(s, &host, &port, err);
}

static int proxy_check(const char *s, struct err *err)
{
	if (streq(s, "environment"))
		return 0;
	if (!str_starts(s, "http://") || !s[strlen("http://")])
		return err_set(err, ERR_INVALID, "'%s' is neither http://HOST:PORT nor \"environment\"", s);
	if (strchr(s, '@'))
		return err_set(err, ERR_INVALID, "no user name and password belong here: net.proxy_user and net.proxy_password_file are for them");
	return 0;
}

/* Said now and not at the first use. What may not be looked at is not judged: the server may run as somebody else. */
static int file_check(const char *path, struct err *err)
{
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set_errno(err, ERR_INVALID, "'%s'", path);
	return 0;
}

/* As file_check; a bare name is a credential, which is looked for when it is read. */
static int credential_check(const char *path, struct err *err)
{
	return strchr(path, '/') ? file_check(path, err) : 0;
}

static void check_rest(const struct config *c, const struct reading *r)
{
	const struct {
		const char *key, *value;
		int (*check)(const char *s, struct err *err);
	} rows[] = {
		{ "api.public_url", c->api_public_url, page_url_check },		       { "net.proxy", c->net_proxy, proxy_check },
		{ "net.proxy_password_file", c->net_proxy_password_file, credential_check },
		{ "acme.trial_directory", c->acme_trial_directory, directory_check },
		{ "log.target", c->log_target, target_check }, { "log.target_ca", c->log_target_ca, file_check },
		{ "heartbeat.url", c->heartbeat_url, directory_check },
		{ "net.trust", c->net_trust, file_check },		       { "api.tls_cert", c->api_tls_cert, file_check },
		{ "api.tls_key", c->api_tls_key, file_check },		       { "store.password_file", c->store_password_file, file_check },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *text = NULL;

		if (!rows[i].value || rows[i].check(rows[i].value, &why) == 0)
			continue;
		text = err_text(&why);
		problem(r->problems, r->values[key_find(rows[i].key) - config_keys].where, "%s: %s", rows[i].key, text);
	}
}

static char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof cwd))
		return xstrdup(path);
	return path_join(cwd, path);
}

/* What spans several keys, and defaults that depend on the state folder. */
static void complete(struct config *c, const struct reading *r)
{
	const struct value *cert = NULL, *key = NULL, *zone = NULL;

	for (size_t i = 0; i < key_count(); i++) {
		if (streq(config_keys[i].name, "api.tls_cert"))
			cert = &r->values[i];
		if (streq(config_keys[i].name, "api.tls_key"))
			key = &r->values[i];
		if (streq(config_keys[i].name, "dns.zone"))
			zone = &r->values[i];
	}
	if (!c->api_tls_cert != !c->api_tls_key)
		problem(r->problems, c->api_tls_cert ? cert->where : key->where, "api.tls_cert and api.tls_key belong together; %s is missing",
			c->api_tls_cert ? "api.tls_key" : "api.tls_cert");
	if (c->api_certificate && c->api_tls_cert)
		problem(r->problems, r->values[key_find("api.certificate") - config_keys].where,
			"api.certificate and api.tls_cert exclude each other");
	if (c->net_proxy_password_file && !c->net_proxy_user)
		problem(r->problems, r->values[key_find("net.proxy_password_file") - config_keys].where,
			"net.proxy_password_file needs net.proxy_user");
	if (c->net_proxy_user && (!c->net_proxy || streq(c->net_proxy, "environment")))
		problem(r->problems, r->values[key_find("net.proxy_user") - config_keys].where,
			"net.proxy_user needs net.proxy = http://HOST:PORT%s", c->net_proxy ? "; user and password of the environment stand in its URL" : "");
	if (c->dns_zone && !c->dns_hostname)
		problem(r->problems, zone->where, "dns.zone needs dns.hostname, the name server of that zone");
	if (!c->api_listen.n && !r->problems->n) /* else the reason is among them */
		problem(r->problems, "api.listen", "at least one address is needed");
	check_rest(c, r);
	if (!c->store_url)
		c->store_url = xasprintf("sqlite:%s/certwright.db", c->state);
	if (!c->keys_master.n) {
		_cleanup_free_ char *path = path_join(c->state, "master.key");

		strlist_add(&c->keys_master, path);
	}
}

/* The line a problem stands at; what is not in the file comes last. */
static int64_t line_of(const struct config *c, const struct config_problem *p)
{
	size_t n = c->file ? strlen(c->file) : 0;
	_cleanup_err_ struct err no = ERR_INIT;
	int64_t line = INT64_MAX;

	if (n && !strncmp(p->where, c->file, n) && p->where[n] == ':')
		(void)str_to_i64(p->where + n + 1, 1, INT32_MAX, &line, &no);
	return line;
}

static void sort_by_line(const struct config *c, struct config_problems *p)
{
	for (size_t i = 1; i < p->n; i++)
		for (size_t j = i; j > 0 && line_of(c, &p->v[j]) < line_of(c, &p->v[j - 1]); j--) {
			struct config_problem swap = p->v[j];

			p->v[j] = p->v[j - 1];
			p->v[j - 1] = swap;
		}
}

int config_read(const struct config_input *in, struct config *ret, struct config_problems *problems, struct err *err)
{
	_cleanup_config_ struct config c = { 0 };
	_cleanup_config_problems_ struct config_problems own = { 0 };
	struct config_problems *found = problems ? problems : &own;
	_cleanup_free_ struct value *values = xcalloc(key_count(), sizeof *values);
	struct reading r = { .values = values, .problems = found };
	const char *state = in->state ? in->state : getenv("CERTWRIGHT_STATE");

	c.state = absolute(str_empty(state) ? CONFIG_STATE_DEFAULT : state);
	if (in->file)
		c.file = xstrdup(in->file);
	else if (str_empty(state) && file_exists(CONFIG_FILE_DEFAULT))
		c.file = xstrdup(CONFIG_FILE_DEFAULT);
	if (c.file)
		read_file(&r, c.file);
	read_environment(&r);
	read_flags(&r, in->set);
	for (size_t i = 0; i < key_count(); i++) {
		const struct config_key *k = &config_keys[i];
		const char *text = values[i].rank ? values[i].text : k->def;
		_cleanup_err_ struct err why = ERR_INIT;

		if (text && value_set(&c, k, text, &why) < 0) {
			_cleanup_free_ char *words = err_text(&why);

			problem(found, values[i].rank ? values[i].where : "default", "%s: %s", k->name, words);
		}
	}
	free_keys_set(&c, &r);
	complete(&c, &r);
	sort_by_line(&c, found);
	for (size_t i = 0; i < key_count(); i++) {
		free(values[i].text);
		free(values[i].where);
	}
	if (found->n)
		return err_set(err, ERR_INVALID, "%s: %s%s", found->v[0].where, found->v[0].text,
			       found->n > 1 ? " (and more: see `certwright config check`)" : "");
	*ret = TAKE(c);
	return 0;
}

void config_done(struct config *c)
{
	free(c->state);
	free(c->file);
	for (const struct config_key *k = config_keys; k->name; k++) {
		void *at = (char *)c + k->offset;

		if (is_list(k->type))
			strlist_clear(at);
		else if (k->type != CONFIG_INT && k->type != CONFIG_BOOL)
			free(*(char **)at);
	}
	strlist_clear(&c->programs);
	strlist_clear(&c->webroots);
	memset(c, 0, sizeof *c);
}

void config_problems_done(struct config_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].where);
		free(p->v[i].text);
	}
	free(p->v);
	memset(p, 0, sizeof *p);
}

char *config_value(const struct config *c, const struct config_key *k)
{
	const void *at = (const char *)c + k->offset;
	const char *text;

	if (is_list(k->type))
		return strlist_join(at, ", ");
	if (k->type == CONFIG_INT)
		return xasprintf("%" PRId64, *(const int64_t *)at);
	if (k->type == CONFIG_BOOL)
		return xstrdup(*(const bool *)at ? "yes" : "no");
	text = *(char *const *)at;
	return xstrdup(text ? text : "");
}

void config_document(FILE *out)
{
	fputs("# Configuration keys\n\n"
	      "Flag `--set section.key=value` > environment `CERTWRIGHT_SECTION_KEY` > file > default. The file has `[section]` lines and\n"
	      "`key = value` lines; a list may go on in the next, indented line; `;` and `#` begin a comment. Secrets are only named by\n"
	      "the path of a file. `certwright config check` shows every problem with its line.\n\n"
	      "| Key | Type | Default | Reload | Meaning |\n|---|---|---|---|---|\n",
	      out);
	for (const struct config_key *k = config_keys; k->name; k++) {
		fprintf(out, "| `%s` | %s", k->name, type_names[k->type]);
		if (k->type == CONFIG_INT)
			fprintf(out, " %" PRId64 "–%" PRId64 "%s%s", k->min, k->max, k->unit ? " " : "", k->unit ? k->unit : "");
		if (k->words)
			fprintf(out, ": %s", k->words);
		fprintf(out, " | %s%s%s | %s | %s |\n", k->def ? "`" : "", k->def ? k->def : "–", k->def ? "`" : "",
			k->reloadable ? "yes" : "no", k->help);
	}
	fputs("| `programs.NAME` | path | – | no | A foreign program that an integration may run, by the name it is asked for. The path is absolute, "
	      "executable and not writable by others. |\n"
	      "| `webroots.NAME` | path | – | no | A document root below which HTTP-01 files may be written (`.well-known/acme-challenge/`). |\n",
	      out);
}

void config_arguments(const struct config_input *in, const struct config *c, struct strlist *argv)
{
	strlist_add(argv, "--state");
	strlist_add(argv, c->state);
	if (c->file) {
		_cleanup_free_ char *path = absolute(c->file);

		strlist_add(argv, "--config");
		strlist_add(argv, path);
	}
	for (size_t i = 0; in->set && i < in->set->n; i++) {
		strlist_add(argv, "--set");
		strlist_add(argv, in->set->v[i]);
	}
}

enum log_format config_log_format(const struct config *c)
{
	if (streq(c->log_format, "auto"))
		return isatty(STDERR_FILENO) ? LOG_LOGFMT : LOG_JSON;
	return streq(c->log_format, "json") ? LOG_JSON : LOG_LOGFMT;
}

void config_log(const struct config *c, const char *process)
{
	enum log_level level = LOG_INFO;

	(void)log_level_parse(c->log_level, &level);
	log_init(level, config_log_format(c), process);
}
