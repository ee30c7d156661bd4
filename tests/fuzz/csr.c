/* SPDX-License-Identifier: Apache-2.0 */
/* csr.c - any upload where a certificate signing request was asked for. */
#include "tests/fuzz/fuzz.h"

#include "base/idn.h"
#include "base/limits.h"
#include "crypto/csr.h"
#include "crypto/csr_extras.h"

static void check_names(const struct csr_info *info)
{
	HOLDS(info->names.n >= 1 && info->names.n <= LIMIT_NAMES);
	for (size_t i = 0; i < info->names.n; i++) {
		struct err err = ERR_INIT;
		char *again = NULL;

		HOLDS(name_canonical(info->names.v[i], &again, &err) == 0);
		HOLDS(streq(again, info->names.v[i])); /* canonical already */
		HOLDS(!i || strcmp(info->names.v[i - 1], info->names.v[i]) != 0);
		free(again);
	}
}

/* What was accepted is accepted again, as PEM too, and says the same. */
static void check_again(const struct csr_info *info)
{
	char *pem = csr_pem(info->der, info->der_n);
	struct csr_info again = { 0 };
	struct err err = ERR_INIT;

	HOLDS(csr_parse(pem, strlen(pem), &again, &err) == 0);
	HOLDS(streq(again.der_hash, info->der_hash) && streq(again.public_hash, info->public_hash));
	HOLDS(strlist_equal(&again.names, &info->names));
	csr_info_clear(&again);
	free(pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct csr_info info = { 0 };
	struct csr_extras extras = { 0 };
	struct err err = ERR_INIT;

	if (csr_parse(data, n, &info, &err) < 0) {
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
		HOLDS(!info.der);
		err_clear(&err);
		return 0;
	}
	check_names(&info);
	check_again(&info);
	HOLDS(csr_extras_read(info.der, info.der_n, &extras, &err) == 0);
	csr_extras_clear(&extras);
	csr_info_clear(&info);
	return 0;
}
