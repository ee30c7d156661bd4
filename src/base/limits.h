/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - every limit on what comes from outside, in one place. Each has a test at limit-1, limit, limit+1.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* answers of a CA (hostile input) */
#define LIMIT_CA_JSON (256 * 1024)
#define LIMIT_CA_CHAIN (256 * 1024)
#define LIMIT_CA_HEADERS (64 * 1024)
#define LIMIT_CA_REQUEST_S 60
#define LIMIT_CONNECT_S 10
#define LIMIT_CA_IDENTIFIERS 100
#define LIMIT_CA_CHALLENGES 32    /* per authorization */
#define LIMIT_CA_URL 2048
#define LIMIT_CA_DETAIL 4096      /* bytes kept of a problem's words */
#define LIMIT_CA_TOKEN_MIN 22
#define LIMIT_CA_TOKEN_MAX 128
#define LIMIT_JSON_DEPTH 16
#define LIMIT_CHAIN_CERTIFICATES 10
#define LIMIT_NONCES 32           /* per directory */
#define LIMIT_NONCE_AGE_S (30 * 60)
#define LIMIT_NONCE_TRIES 10

/* answers of DNS providers */
#define LIMIT_PROVIDER_ANSWER (1024 * 1024)
#define LIMIT_PROVIDER_PAGES 20   /* of one list */
#define LIMIT_PROVIDER_VALUES 200 /* TXT values at one name */

/* our API */
#define LIMIT_API_BODY (256 * 1024)
#define LIMIT_API_PAGE 200
#define LIMIT_API_PAGE_DEFAULT 50
#define LIMIT_CSR (64 * 1024)
#define LIMIT_NAMES 100           /* per order */
#define LIMIT_IMPORT (190 * 1024)      /* bytes of one file that is imported: base64 of it fits into LIMIT_API_BODY */
#define LIMIT_IMPORT_CERTIFICATES 200 /* in one file */
#define LIMIT_IMPORT_KEYS 20          /* in one file */
#define LIMIT_KDF_ROUNDS 1000000  /* of password hashing that a file asks for */
#define LIMIT_KDF_MEMORY (64 * 1024 * 1024)
#define LIMIT_BULK_STORED 5000    /* named certificates of an action that is stored as a job */
#define LIMIT_BULK 200            /* certificates one request acts on; a search has more of them behind its cursor */
#define LIMIT_TAGS 32             /* of one certificate */
#define LIMIT_NAME 253
#define LIMIT_TEXT 1024           /* a text field people type */
#define LIMIT_EMAIL 254
#define LIMIT_SEARCH 512           /* bytes of a search that is kept: the rule of a notification channel */
#define LIMIT_ISSUER 200 /* name of a chain's issuer */
#define LIMIT_TOKEN_SOURCES 16    /* networks an API token may be used from */
#define LIMIT_PASSWORD_MIN 12
#define LIMIT_PASSWORD_MAX 256
#define LIMIT_CONNECTION_PEM (64 * 1024) /* CAs of one integration */
#define LIMIT_CONNECTION_ALLOW 16 /* private networks of one integration */
#define LIMIT_PROVIDERS 500       /* configured publishers */
#define LIMIT_CHANNELS 50         /* notification channels */
#define LIMIT_MAIL_TO 50          /* recipients of one */
#define LIMIT_OUTBOX 5000         /* messages that wait for one channel; then the oldest are dropped */
#define LIMIT_EVENT_STREAMS 500   /* server-sent event clients in all */

/* edge */
#define LIMIT_DNS_UDP 1232
#define LIMIT_TXT_VALUES 250      /* of one name that edge answers; an order whose value would be one more waits */
#define LIMIT_DNS_TCP_CONNECTIONS 512
#define LIMIT_DNS_TCP_QUERIES 50  /* per connection */
#define LIMIT_DNS_TCP_SOURCE 64   /* connections per /24 or /56 */
#define LIMIT_DNS_TCP_IDLE_S 10
#define LIMIT_HTTP01_CONNECTIONS 2048
#define LIMIT_HTTP01_SOURCE 512   /* per /24 or /56: a load balancer is one source */
#define LIMIT_HTTP01_REQUESTS 1000 /* per connection */
#define LIMIT_HTTP01_HEAD 8192
#define LIMIT_HTTP01_S 10         /* total deadline of one request */

/* engine */
#define LIMIT_WORKERS 32
#define LIMIT_LEASE_S 180
#define LIMIT_STEP_S 60
#define LIMIT_STARTS 3            /* claims without a verdict before a row is set aside */

#endif
