/* SPDX-License-Identifier: Apache-2.0 */
/* Connection settings of an integration: what is taken, what is shown, and that a permission stays with its host. */
#include "tests/unit/assert.h"

#include "base/limits.h"
#include "model/connection.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define PIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int decode(const char *text, bool stored, struct connection *ret, struct err *err)
{
	_cleanup_json_ json_t *j = NULL;
	struct err why = ERR_INIT;

	ASSERT_OK(json_parse(text, strlen(text), &j, &why), &why);
	return connection_decode(j, "/connection", stored, ret, err);
}

static void what_was_stored_comes_back(void **state UNUSED)
{
	static const char *const rows[] = {
		"{}",
		"{\"route\":\"proxy\"}",
		"{\"route\":\"direct\",\"fingerprint\":\"" PIN "\"}",
		"{\"ca_pem\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"}",
		"{\"allow\":[\"10.0.0.0/8\",\"fd00::1\"]}",
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_connection_ struct connection a = { 0 }, b = { 0 };
		_cleanup_free_ char *text = NULL;

		ASSERT_OK(decode(rows[i], false, &a, &err), &err);
		connection_confirm(&a, "CA.example", 8443);
		text = connection_text(&a);
		ASSERT_INT(!text, i == 0);
		ASSERT_OK(connection_parse(text, &b, &err), &err);
		ASSERT_TRUE(connection_equal(&a, &b));
		ASSERT_INT(connection_empty(&b), i == 0);
	}
}

static void each_member_is_judged_and_named(void **state UNUSED)
{
	static const struct {
		const char *text, *field;
	} rows[] = {
		{ "[]", "/connection" },
		{ "{\"Route\":\"direct\"}", "/connection/Route" },
		{ "{\"route\":\"DIRECT\"}", "/connection/route" },
		{ "{\"route\":1}", "/connection/route" },
		{ "{\"ca_pem\":\"no certificate\"}", "/connection/ca_pem" },
		{ "{\"ca_pem\":\"-----BEGIN CERTIFICATE-----\\n-----END CERTIFICATE-----\\n-----BEGIN PRIVATE KEY-----\"}", "/connection/ca_pem" },
		{ "{\"fingerprint\":\"abc\"}", "/connection/fingerprint" },
		{ "{\"fingerprint\":\"" PIN "00\"}", "/connection/fingerprint" },
		{ "{\"fingerprint\":\"g" PIN "\"}", "/connection/fingerprint" },
		{ "{\"allow\":\"10.0.0.0/8\"}", "/connection/allow" },
		{ "{\"allow\":[\"10.0.0.0/8\",\"10.0.0.0/33\"]}", "/connection/allow/1" },
		{ "{\"allow\":[\"ca.example\"]}", "/connection/allow/0" },
		{ "{\"allow\":[\"0x7f.1\"]}", "/connection/allow/0" },
		{ "{\"allow\":[\"0.0.0.0/0\"]}", "/connection/allow/0" },
		{ "{\"allow\":[\"::/0\"]}", "/connection/allow/0" },
		{ "{\"allow\":[\"10.0.0.1,0.0.0.0/0\"]}", "/connection/allow/0" },
		{ "{\"allow\":[\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\","
		  "\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\"]}",
		  "/connection/allow" },
		{ "{\"confirmed_for\":\"ca.example:443\"}", "/connection/confirmed_for" },
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_connection_ struct connection c = { 0 };
		int rc = decode(rows[i].text, false, &c, &err);

		ASSERT_STR(err.field, rows[i].field);
		ASSERT_FAILS(rc, &err, ERR_INVALID);
		ASSERT_TRUE(connection_empty(&c));
	}
}

static void a_fingerprint_is_kept_in_one_spelling(void **state UNUSED)
{
	static const char *const rows[] = {
		PIN, "sha256:" PIN, "SHA256:" PIN,
		"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_connection_ struct connection c = { 0 };
		_cleanup_free_ char *text = xasprintf("{\"fingerprint\":\"%s\"}", rows[i]);

		ASSERT_OK(decode(text, false, &c, &err), &err);
		ASSERT_STR(c.fingerprint, PIN);
	}
}

static void a_permission_stays_with_the_host_and_port_it_was_given_for(void **state UNUSED)
{
	_cleanup_connection_ struct connection c = { 0 }, copy = { 0 };
	struct err err = ERR_INIT;

	ASSERT_OK(decode("{\"allow\":[\"10.1.0.0/16\"]}", false, &c, &err), &err);
	/* nobody confirmed it yet */
	ASSERT_FAILS(connection_check_host(&c, "ca.example", 443, &err), &err, ERR_CONFLICT);
	connection_confirm(&c, "ca.example", 443);
	ASSERT_OK(connection_check_host(&c, "CA.Example", 443, &err), &err);
	ASSERT_FAILS(connection_check_host(&c, "ca.example", 8443, &err), &err, ERR_CONFLICT);
	ASSERT_FAILS(connection_check_host(&c, "ca.example.evil.example", 443, &err), &err, ERR_CONFLICT);
	connection_copy(&copy, &c);
	ASSERT_TRUE(connection_check_host(&copy, "10.1.0.1", 443, &err) < 0);
	ASSERT_STR(err.field, "/connection/allow");
	ASSERT_HAS(err.detail, "allowed for 'ca.example:443', not for '10.1.0.1:443'");
	err_clear(&err);
	connection_confirm(&c, "fd00::1", 443);
	ASSERT_STR(c.confirmed_for, "[fd00::1]:443");
	/* without allow there is nothing to confirm */
	connection_done(&c);
	ASSERT_OK(decode("{\"route\":\"direct\"}", false, &c, &err), &err);
	connection_confirm(&c, "ca.example", 443);
	ASSERT_TRUE(!c.confirmed_for);
	ASSERT_OK(connection_check_host(&c, "other.example", 1, &err), &err);
}

static void what_is_shown_has_every_member(void **state UNUSED)
{
	struct connection none = { 0 };
	_cleanup_json_ json_t *j = connection_encode(&none);
	_cleanup_free_ char *text = json_text(j);

	ASSERT_STR(text, "{\"route\":\"default\",\"ca_pem\":null,\"fingerprint\":null,\"allow\":[],\"confirmed_for\":null}");
}

static void a_broken_column_is_an_error_and_no_default(void **state UNUSED)
{
	static const char *const rows[] = { "{", "[]", "{\"route\":\"sideways\"}", "{\"allow\":[\"x\"]}" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_connection_ struct connection c = { 0 };

		ASSERT_FAILS(connection_parse(rows[i], &c, &err), &err, ERR_INTERNAL);
	}
}

static void the_ca_text_has_a_limit(void **state UNUSED)
{
	for (int more = 0; more < 2; more++) {
		_cleanup_connection_ struct connection c = { 0 };
		_cleanup_buf_ struct buf pem = BUF_MAX(LIMIT_CONNECTION_PEM + 10);
		_cleanup_json_ json_t *j = NULL;
		struct err err = ERR_INIT;
		int rc;

		buf_add_str(&pem, PEM);
		while (pem.n < LIMIT_CONNECTION_PEM + (size_t)more)
			buf_add_char(&pem, '\n');
		j = json_pack("{s:s}", "ca_pem", buf_text(&pem));
		rc = connection_decode(j, "/connection", false, &c, &err);
		if (more)
			ASSERT_FAILS(rc, &err, ERR_INVALID);
		else
			ASSERT_OK(rc, &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_stored_comes_back),
		TEST(each_member_is_judged_and_named),
		TEST(a_fingerprint_is_kept_in_one_spelling),
		TEST(a_permission_stays_with_the_host_and_port_it_was_given_for),
		TEST(what_is_shown_has_every_member),
		TEST(a_broken_column_is_an_error_and_no_default),
		TEST(the_ca_text_has_a_limit),
	};

	return RUN(tests);
}
