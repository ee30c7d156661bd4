/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c - see challenge.h. The texts are run by tests/scenario/test_http_ways.py. */
#include "service/challenge.h"

#include "base/buf.h"
#include "base/str.h"

#define PATH "/.well-known/acme-challenge/"

const struct challenge_text challenge_texts_all[] = {
	{ "nginx", "redirect", "nginx", "Inside server { listen 80; … } of the name, then: nginx -s reload",
	  "location ^~ " PATH " {\n    return 302 http://@HOST@$request_uri;\n}\n" },
	{ "apache", "redirect", "Apache httpd", "In <VirtualHost *:80> of the name (mod_alias), before other redirects",
	  "Redirect 302 " PATH " http://@HOST@" PATH "\n" },
	{ "iis", "redirect", "IIS", "In web.config of the site that has port 80 (module URL Rewrite), as the first rule",
	  "<rule name=\"acme-challenge\" stopProcessing=\"true\">\n"
	  "  <match url=\"^\\.well-known/acme-challenge/([A-Za-z0-9_-]+)$\" />\n"
	  "  <action type=\"Redirect\" url=\"http://@HOST@" PATH "{R:1}\" redirectType=\"Found\" appendQueryString=\"false\" />\n"
	  "</rule>\n" },
	{ "haproxy", "redirect", "HAProxy", "In the frontend that has port 80, before other http-request lines",
	  "http-request redirect code 302 location http://@HOST@%[path] if { path_beg " PATH " }\n" },
	{ "f5-policy", "redirect", "F5 local traffic policy", "tmsh; then add the policy to the virtual server on port 80, which needs an HTTP profile",
	  "create ltm policy Drafts/acme_redirect requires add { http } controls add { forwarding } strategy first-match "
	  "rules add { challenge { conditions add { 0 { http-uri path starts-with values { " PATH " } } } "
	  "actions add { 0 { http-reply redirect location \"tcl:http://@HOST@[HTTP::path]\" } } } }\n"
	  "publish ltm policy Drafts/acme_redirect\n" },
	{ "irule", "redirect", "F5 iRule", "Needs no data group; as the first rule of the virtual server on port 80",
	  "when HTTP_REQUEST {\n"
	  "    if { [string equal -length 28 [string tolower [HTTP::path]] \"" PATH "\"] } {\n"
	  "        HTTP::respond 302 noserver Location \"http://@HOST@[HTTP::path]\" Cache-Control \"no-store\"\n"
	  "        event disable\n"
	  "        return\n"
	  "    }\n"
	  "}\n" },
	{ "nginx", "forward", "nginx", "Inside server { listen 80; … } of the name, then: nginx -s reload",
	  "location ^~ " PATH " {\n    proxy_pass http://@HOST@;\n    proxy_set_header Host $host;\n    proxy_connect_timeout 5s;\n}\n" },
	{ "apache", "forward", "Apache httpd", "In <VirtualHost *:80> of the name (mod_proxy, mod_proxy_http), before other ProxyPass lines",
	  "ProxyPass " PATH " http://@HOST@" PATH " connectiontimeout=5\n" },
	{ "iis", "forward", "IIS", "In web.config of the site (URL Rewrite and Application Request Routing with the proxy switched on), as the first rule",
	  "<rule name=\"acme-challenge\" stopProcessing=\"true\">\n"
	  "  <match url=\"^\\.well-known/acme-challenge/([A-Za-z0-9_-]+)$\" />\n"
	  "  <action type=\"Rewrite\" url=\"http://@HOST@" PATH "{R:1}\" appendQueryString=\"false\" />\n"
	  "</rule>\n" },
	{ "haproxy", "forward", "HAProxy", "The first line into the frontend that has port 80, the backend beside it; a server needs its port",
	  "use_backend acme_challenge if { path_beg " PATH " }\n\n"
	  "backend acme_challenge\n    mode http\n    server certwright @HOSTPORT@\n" },
	{ "f5-policy", "forward", "F5 local traffic policy", "tmsh; then add the policy to the virtual server on port 80, which needs an HTTP profile. @HOST@ has to "
	  "be an address in a pool member",
	  "create ltm pool acme_challenge members add { @HOSTPORT@ } monitor none\n"
	  "create ltm policy Drafts/acme_forward requires add { http } controls add { forwarding } strategy first-match "
	  "rules add { challenge { conditions add { 0 { http-uri path starts-with values { " PATH " } } } "
	  "actions add { 0 { forward select pool acme_challenge } } } }\n"
	  "publish ltm policy Drafts/acme_forward\n" },
	{ "irule", "forward", "F5 iRule", "Needs no data group but a pool acme_challenge whose member is this server; as the first rule of the virtual server",
	  "when HTTP_REQUEST {\n"
	  "    if { [string equal -length 28 [string tolower [HTTP::path]] \"" PATH "\"] } {\n"
	  "        pool acme_challenge\n"
	  "        event disable\n"
	  "        return\n"
	  "    }\n"
	  "}\n" },
	{ 0 }
};

int challenge_host_check(const char *host, struct err *err)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

	if (str_empty(host) || strlen(host) > 253 || host[strspn(host, set)] || *host == '-' || *host == '.')
		return err_set_field(err, ERR_INVALID, "/host", "the host is a name or an address, perhaps with a port");
	return 0;
}

static bool has_port(const char *host)
{
	const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');

	return colon && (bracket ? colon > bracket : colon == strchr(host, ':'));
}

char *challenge_text_for(const struct challenge_text *t, const char *host)
{
	struct buf b = BUF_MAX(8192);

	for (const char *p = t->text; *p;) {
		if (str_starts(p, "@HOSTPORT@")) {
			buf_addf(&b, "%s%s", host, has_port(host) ? "" : ":80");
			p += strlen("@HOSTPORT@");
		} else if (str_starts(p, "@HOST@")) {
			buf_add_str(&b, host);
			p += strlen("@HOST@");
		} else {
			buf_add(&b, p++, 1);
		}
	}
	return buf_take(&b);
}
