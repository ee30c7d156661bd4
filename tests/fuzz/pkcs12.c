/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs12.c - any request to open a PKCS#12 file or an encrypted key with a password, as the runner gets it; what comes out is read as an import. */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "crypto/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool prepared;
	_cleanup_buf_ struct buf out = BUF_MAX(4 * LIMIT_API_BODY);
	struct bundle b = { 0 };
	struct err err = ERR_INIT;

	if (!prepared)
		bundle_open_prepare();
	prepared = true;
	if (bundle_open((struct str){ (const char *)data, n }, &out, &err) < 0) {
		HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
	} else if (buf_check(&out, &err) == 0 && out.n) {
		if (bundle_read((struct str){ buf_text(&out), out.n }, &b, &err) < 0)
			HOLDS(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
		bundle_clear(&b);
	}
	err_clear(&err);
	return 0;
}
