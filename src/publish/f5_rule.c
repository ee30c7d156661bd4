/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f5_rule.c - the iRule that answers HTTP-01 challenges from a data group. Commands of plain Tcl only (no starts_with, contains,
 * equals), so that tests run the very text under tclsh. A token that is not there goes on to the other rules and the pool: other
 * clients of the same virtual server keep working. "noserver" and no-store, since it is nobody's page.
 */
#include "publish/f5.h"

static const char rule[] =
	"# Made by Certwright: answers ACME HTTP-01 challenges (RFC 8555 8.3) from the data group /%s/%s.\n"
	"when HTTP_REQUEST {\n"
	"    if { [string equal -length 28 [string tolower [HTTP::path]] \"/.well-known/acme-challenge/\"] } {\n"
	"        set certwright_answer [class lookup [string range [HTTP::path] 28 end] /%s/%s]\n"
	"        if { $certwright_answer ne \"\" } {\n"
	"            HTTP::respond 200 content $certwright_answer noserver Content-Type \"text/plain\" Cache-Control \"no-store\"\n"
	"            event disable\n"
	"            return\n"
	"        }\n"
	"    }\n"
	"}\n";

char *f5_rule(const char *partition, const char *group)
{
	return xasprintf(rule, partition, group, partition, group);
}
