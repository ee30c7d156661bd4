/* SPDX-License-Identifier: Apache-2.0 */
/* idn.c - see idn.h. */
#include "base/idn.h"

#include "base/addr.h"
#include "base/limits.h"
#include "base/str.h"

#include <idn2.h>

bool name_is_wildcard(const char *name)
{
	return str_starts(name, "*.");
}

const char *name_base(const char *name)
{
	return name_is_wildcard(name) ? name + 2 : name;
}

bool name_covered_by(const char *name, const char *wildcard)
{
	const char *dot = strchr(name, '.');

	return name_is_wildcard(wildcard) && !name_is_wildcard(name) && dot && streq(dot + 1, wildcard + 2);
}

static int check_labels(const char *name, const char *shown, struct err *err)
{
	size_t label = 0, labels = 1;
	bool digits_only = true;

	if (strlen(name) > LIMIT_NAME)
		return err_set(err, ERR_INVALID, "name '%.60s...' is longer than %d bytes", shown, LIMIT_NAME);
	for (const char *p = name;; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '.' || !c) {
			if (!label || label > 63 || p[-1] == '-')
				return err_set(err, ERR_INVALID, "'%s' has an empty, too long or badly ended label", shown);
			if (!c)
				break;
			label = 0;
			labels++;
			digits_only = true;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label)))
			return err_set(err, ERR_INVALID, "'%s' has a character that no host name has", shown);
		digits_only = digits_only && c >= '0' && c <= '9';
		label++;
	}
	if (labels < 2)
		return err_set(err, ERR_INVALID, "'%s' has only one label", shown);
	if (digits_only)
		return err_set(err, ERR_INVALID, "'%s' looks like an address; names of hosts are wanted", shown);
	return 0;
}

int name_canonical(const char *name, char **ret, struct err *err)
{
	_cleanup_free_ char *shown = str_clean(name, strlen(name), 80), *bare = NULL;
	char *ascii = NULL;
	const char *base = name_base(name);
	size_t n = strlen(base);
	int r;

	if (strlen(name) > 4 * LIMIT_NAME || !utf8_valid(name, strlen(name)))
		return err_set(err, ERR_INVALID, "'%s...' is not a host name", shown);
	if (n && base[n - 1] == '.')
		n--;
	bare = xstrndup(base, n);
	if (!n)
		return err_set(err, ERR_INVALID, "an empty name is not a host name");
	if (strchr(bare, '*'))
		return err_set(err, ERR_INVALID, "'%s' has a wildcard that is not its whole first label", shown);
	r = idn2_to_ascii_8z(bare, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
	if (r != IDN2_OK)
		return err_set(err, ERR_INVALID, "'%s' is not a host name: %s", shown, idn2_strerror(r));
	str_lower(ascii);
	r = check_labels(ascii, shown, err);
	if (r == 0)
		*ret = xasprintf("%s%s", name_is_wildcard(name) ? "*." : "", ascii);
	idn2_free(ascii);
	return r;
}

char *name_display(const char *name)
{
	_cleanup_free_ char *back = NULL;
	_cleanup_err_ struct err ignored = ERR_INIT;
	char *u = NULL, *out;

	if (!strstr(name, "xn--") || idn2_to_unicode_8z8z(name_base(name), &u, 0) != IDN2_OK)
		return xstrdup(name);
	out = xasprintf("%s%s", name_is_wildcard(name) ? "*." : "", u);
	idn2_free(u);
	if (name_canonical(out, &back, &ignored) < 0 || !streq(back, name)) {
		free(out);
		return xstrdup(name);
	}
	return out;
}
