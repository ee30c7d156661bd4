/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - see table.h. Allocates only when the feed speaks. */
#include "edge/table.h"

#include "base/limits.h"
#include "base/random.h"
#include "edge/answer.h"

#define SIZE_MIN 256u

struct table {
	const struct edge_settings *settings;
	struct node **nodes;
	size_t nodes_n, nodes_size; /* size is a power of two */
	struct token **tokens;
	size_t tokens_n, tokens_size;
	uint64_t seed;
	uint32_t serial;
};

static uint64_t next_uid;

static uint64_t new_uid(void)
{
	return __atomic_add_fetch(&next_uid, 1, __ATOMIC_RELAXED);
}

/* ---- hashing: label by label from the root, so that the hash of every suffix falls out on the way ---- */

static inline uint64_t mix(uint64_t h, uint64_t v)
{
	unsigned __int128 m = (unsigned __int128)(h ^ v) * 0x9e3779b97f4a7c15u;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t mix_bytes(uint64_t h, const uint8_t *p, size_t n)
{
	uint64_t v;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&v, p, 8);
		h = mix(h, v);
	}
	v = n;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return mix(h, v);
}

/* Hash of a label with its length byte, below what h stands for. */
static inline uint64_t mix_label(uint64_t h, const uint8_t *label)
{
	return mix_bytes(h, label, (size_t)label[0] + 1);
}

static struct node *lookup(const struct table *t, uint64_t hash, const uint8_t *name, size_t n)
{
	struct node *node = t->nodes[hash & (t->nodes_size - 1)];

	while (node && (node->hash != hash || node->name_n != n || memcmp(node->name, name, n)))
		node = node->next;
	return node;
}

const struct node *table_find(const struct table *t, const struct dns_query *q)
{
	uint64_t h = t->seed;

	for (unsigned i = q->labels; i--;)
		h = mix_label(h, q->qname.b + q->label_at[i]);
	return lookup(t, h, q->qname.b, q->qname.n);
}

const struct node *table_closest(const struct table *t, const struct dns_query *q, unsigned *ret_cut)
{
	const struct node *best = NULL;
	uint64_t h = t->seed;

	for (unsigned i = q->labels; i--;) {
		const uint8_t *suffix = q->qname.b + q->label_at[i];
		const struct node *node;

		h = mix_label(h, suffix);
		node = lookup(t, h, suffix, (size_t)q->qname.n - q->label_at[i]);
		if (!node)
			break;
		best = node;
		*ret_cut = i;
	}
	return best;
}

/* ---- nodes ---- */

static void grow_nodes(struct table *t)
{
	size_t size = t->nodes_size * 2;
	struct node **nodes = xcalloc(size, sizeof *nodes);

	for (size_t i = 0; i < t->nodes_size; i++) {
		for (struct node *n = t->nodes[i], *next; n; n = next) {
			struct node **head = &nodes[n->hash & (size - 1)];

			next = n->next;
			n->next = *head;
			*head = n;
		}
	}
	free(t->nodes);
	t->nodes = nodes;
	t->nodes_size = size;
}

static struct node *add_node(struct table *t, uint64_t hash, struct node *parent, const uint8_t *name, size_t n)
{
	struct node *node = xcalloc(1, sizeof *node + n), **head;

	if (t->nodes_n >= t->nodes_size)
		grow_nodes(t);
	node->hash = hash;
	node->uid = new_uid();
	node->parent = parent;
	node->name_n = (uint8_t)n;
	memcpy(node->name, name, n);
	if (parent)
		parent->children++;
	head = &t->nodes[hash & (t->nodes_size - 1)];
	node->next = *head;
	*head = node;
	t->nodes_n++;
	return node;
}

/* Finds, or with make also makes (with all its ancestors), the node of a name; NULL for the root. */
static struct node *node_of(struct table *t, const struct dns_name *name, bool make)
{
	unsigned labels = 0;
	uint8_t at[128];
	struct node *node = NULL;
	uint64_t h = t->seed;

	for (size_t i = 0; name->b[i]; i += (size_t)name->b[i] + 1)
		at[labels++] = (uint8_t)i;
	while (labels--) {
		const uint8_t *suffix = name->b + at[labels];
		size_t n = (size_t)name->n - at[labels];
		struct node *below;

		h = mix_label(h, suffix);
		below = lookup(t, h, suffix, n);
		if (!below && !make)
			return NULL;
		node = below ? below : add_node(t, h, node, suffix, n);
	}
	return node;
}

static void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->soa);
	free(z->ns.p);
	free(z);
}

static void node_free(struct node *n)
{
	for (struct value *v = n->values, *next; v; v = next) {
		next = v->next;
		free(v);
	}
	zone_free(n->zone);
	free(n->txt.p);
	if (n->address) {
		free(n->address[0].p);
		free(n->address[1].p);
		free(n->address);
	}
	free(n);
}

/* Removes a node that nothing needs any more, and then its ancestors. */
static void tidy(struct table *t, struct node *n)
{
	while (n && !n->zone && !n->values && !n->address && !n->pinned && !n->children) {
		struct node *parent = n->parent, **link = &t->nodes[n->hash & (t->nodes_size - 1)];

		while (*link != n)
			link = &(*link)->next;
		*link = n->next;
		t->nodes_n--;
		if (parent)
			parent->children--;
		node_free(n);
		n = parent;
	}
}

/* ---- record sets ---- */

static void put_owner(struct dns_out *out, uint16_t type, uint32_t ttl)
{
	dns_out_u16(out, 0xc000 | DNS_HEADER);
	dns_out_u16(out, type);
	dns_out_u16(out, DNS_IN);
	dns_out_u32(out, ttl);
}

static void rrset_set(struct rrset *set, const struct dns_out *out, unsigned count)
{
	free(set->p);
	set->p = count ? xmemdup(out->p, out->n) : NULL;
	set->n = count ? (uint32_t)out->n : 0;
	set->count = (uint16_t)count;
}

static bool seen_before(const struct node *node, const struct value *v)
{
	for (const struct value *o = node->values; o != v; o = o->next)
		if (o->n == v->n && !memcmp(o->p, v->p, v->n))
			return true;
	return false;
}

/* What stands around the records of an answer: the header, the longest question, our OPT. */
#define AROUND (DNS_HEADER + DNS_NAME_MAX + 4 + 11)
#define TXT_FRAME 13 /* of a record besides its one string */
_Static_assert(LIMIT_TXT_VALUES * (TXT_FRAME + 43) <= ANSWER_TCP_MAX - AROUND, "as many challenge values as are promised fit into one answer");

/* One TTL for the whole set (RFC 2181 5.2), each value once, the oldest LIMIT_TXT_VALUES of them, as far as they fit. */
static void build_txt(struct node *node)
{
	static _Thread_local uint8_t space[ANSWER_TCP_MAX - AROUND];
	struct dns_out out = { space, sizeof space, 0, false };
	uint32_t ttl = EDGE_TXT_TTL_MAX;
	unsigned count = 0;

	for (struct value *v = node->values; v; v = v->next)
		ttl = MIN(ttl, MAX(v->ttl, 1u));
	for (struct value *v = node->values; v && count < LIMIT_TXT_VALUES; v = v->next) {
		if (seen_before(node, v))
			continue;
		if (out.n + TXT_FRAME + v->n > sizeof space)
			break;
		put_owner(&out, DNS_TXT, ttl);
		dns_out_txt(&out, v->p, v->n);
		count++;
	}
	rrset_set(&node->txt, &out, count);
}

static struct zone *zone_new(const struct table *t, uint64_t id, const struct dns_name *ns, uint32_t ttl)
{
	struct zone *z = xcalloc(1, sizeof *z);
	uint8_t space[1024];
	struct dns_out out = { space, sizeof space, 0, false };

	z->id = id;
	z->soa_ttl = MIN(MAX(ttl, 1u), (uint32_t)EDGE_SOA_TTL_MAX);
	dns_out_name(&out, ns);
	if (ns->n + 11 <= DNS_NAME_MAX)
		dns_out_bytes(&out, "\12hostmaster", 11);
	dns_out_name(&out, ns);
	z->soa_serial = (uint16_t)out.n;
	dns_out_u32(&out, t->serial);
	dns_out_u32(&out, 3600);   /* refresh, retry, expire: nobody transfers this zone */
	dns_out_u32(&out, 600);
	dns_out_u32(&out, 86400);
	dns_out_u32(&out, z->soa_ttl);
	z->soa = xmemdup(out.p, out.n);
	z->soa_n = (uint16_t)out.n;

	out = (struct dns_out){ space, sizeof space, 0, false };
	put_owner(&out, DNS_NS, EDGE_NS_TTL);
	dns_out_u16(&out, ns->n);
	dns_out_name(&out, ns);
	rrset_set(&z->ns, &out, 1);
	return z;
}

/* ---- items ---- */

static void apply_zone(struct table *t, const struct feed_item *i, struct node *node)
{
	struct dns_name ns = t->settings->hostname;
	struct err err = ERR_INIT;

	if (node->zone && node->zone->id == 0)
		return; /* our own zone stays */
	if (i->op == FEED_REMOVE) {
		if (node->zone && node->zone->id == i->id) {
			zone_free(node->zone);
			node->zone = NULL;
		}
		return;
	}
	if (i->value.n) {
		_cleanup_free_ char *text = xstrndup(i->value.p, i->value.n);

		if (dns_name_parse(text, &ns, &err) < 0)
			err_clear(&err);
	}
	if (ns.n == 0)
		return; /* no host name configured, so no DNS */
	zone_free(node->zone);
	node->zone = zone_new(t, i->id, &ns, i->ttl_s ? i->ttl_s : t->settings->soa_ttl_s);
}

static void apply_txt(const struct feed_item *i, struct node *node)
{
	struct value **link = &node->values, *v;

	while (*link && (*link)->id != i->id)
		link = &(*link)->next;
	v = *link;
	if (v) {
		*link = v->next;
		free(v);
	}
	if (i->op == FEED_ADD) {
		v = xcalloc(1, sizeof *v + i->value.n);
		v->id = i->id;
		v->ttl = i->ttl_s;
		v->n = (uint8_t)i->value.n;
		memcpy(v->p, i->value.p, i->value.n);
		while (*link)
			link = &(*link)->next;
		*link = v;
	}
	build_txt(node);
}

static void apply_name(const struct feed_item *i, struct node *node)
{
	if (i->op == FEED_ADD)
		node->pinned = i->id;
	else if (node->pinned == i->id)
		node->pinned = 0;
}

static void grow_tokens(struct table *t)
{
	size_t size = t->tokens_size * 2;
	struct token **tokens = xcalloc(size, sizeof *tokens);

	for (size_t i = 0; i < t->tokens_size; i++) {
		for (struct token *k = t->tokens[i], *next; k; k = next) {
			struct token **head = &tokens[k->hash & (size - 1)];

			next = k->next;
			k->next = *head;
			*head = k;
		}
	}
	free(t->tokens);
	t->tokens = tokens;
	t->tokens_size = size;
}

static bool token_is(const struct token *k, uint64_t hash, const char *token, size_t n)
{
	return k->hash == hash && k->token_n == n && !memcmp(k->text, token, n);
}

static void apply_http(struct table *t, const struct feed_item *i)
{
	uint64_t hash = mix_bytes(t->seed, (const uint8_t *)i->name.p, i->name.n);
	struct token **link, *k;

	if (t->tokens_n >= t->tokens_size)
		grow_tokens(t);
	link = &t->tokens[hash & (t->tokens_size - 1)];
	while (*link && !((*link)->id == i->id && token_is(*link, hash, i->name.p, i->name.n)))
		link = &(*link)->next;
	k = *link;
	if (k) {
		*link = k->next;
		free(k);
		t->tokens_n--;
	}
	if (i->op == FEED_REMOVE)
		return;
	k = xcalloc(1, sizeof *k + i->name.n + i->value.n);
	k->hash = hash;
	k->id = i->id;
	k->uid = new_uid();
	k->token_n = (uint8_t)i->name.n;
	k->value_n = (uint16_t)i->value.n;
	memcpy(k->text, i->name.p, i->name.n);
	memcpy(k->text + i->name.n, i->value.p, i->value.n);
	k->next = *link;
	*link = k;
	t->tokens_n++;
}

static void apply_dns(struct table *t, const struct feed_item *i)
{
	_cleanup_free_ char *text = xstrndup(i->name.p, i->name.n);
	struct err err = ERR_INIT;
	struct dns_name name;
	struct node *node;

	if (dns_name_parse(text, &name, &err) < 0) {
		err_clear(&err); /* the feed has checked it: cannot be */
		return;
	}
	node = node_of(t, &name, i->op == FEED_ADD);
	if (!node)
		return;
	if (i->kind == FEED_ZONE)
		apply_zone(t, i, node);
	else if (i->kind == FEED_TXT)
		apply_txt(i, node);
	else
		apply_name(i, node);
	tidy(t, node);
}

void table_apply(struct table *t, const struct feed_item *i)
{
	if (i->kind == FEED_HTTP)
		apply_http(t, i);
	else
		apply_dns(t, i);
}

/* ---- the table ---- */

static void add_addresses(struct table *t, struct node *host)
{
	uint8_t space[EDGE_ADDRESSES * 28];

	host->address = xcalloc(2, sizeof *host->address);
	for (int six = 0; six < 2; six++) {
		struct dns_out out = { space, sizeof space, 0, false };
		unsigned count = 0;

		for (size_t k = 0; k < t->settings->addresses_n; k++) {
			const union addr *a = &t->settings->addresses[k];

			if ((a->sa.sa_family == AF_INET6) != six)
				continue;
			put_owner(&out, six ? DNS_AAAA : DNS_A, EDGE_NS_TTL);
			dns_out_u16(&out, six ? 16 : 4);
			dns_out_bytes(&out, six ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr, six ? 16 : 4);
			count++;
		}
		rrset_set(&host->address[six], &out, count);
	}
}

struct table *table_new(const struct edge_settings *settings)
{
	struct table *t = xcalloc(1, sizeof *t);
	struct dns_name host = settings->hostname, zone = settings->zone;

	t->settings = settings;
	t->seed = random_u64();
	t->nodes_size = t->tokens_size = SIZE_MIN;
	t->nodes = xcalloc(t->nodes_size, sizeof *t->nodes);
	t->tokens = xcalloc(t->tokens_size, sizeof *t->tokens);
	if (zone.n > 1 && host.n > 1) {
		dns_name_lower(&zone);
		node_of(t, &zone, true)->zone = zone_new(t, 0, &host, settings->soa_ttl_s);
		dns_name_lower(&host);
		if (dns_name_within(&host, &zone) && settings->addresses_n)
			add_addresses(t, node_of(t, &host, true));
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nodes_size; i++) {
		for (struct node *n = t->nodes[i], *next; n; n = next) {
			next = n->next;
			node_free(n);
		}
	}
	for (size_t i = 0; i < t->tokens_size; i++) {
		for (struct token *k = t->tokens[i], *next; k; k = next) {
			next = k->next;
			free(k);
		}
	}
	free(t->nodes);
	free(t->tokens);
	free(t);
}

void table_set_serial(struct table *t, uint32_t serial)
{
	t->serial = serial;
}

uint32_t table_serial(const struct table *t)
{
	return t->serial;
}

const struct token *table_token(const struct table *t, const char *token, size_t n)
{
	uint64_t hash = mix_bytes(t->seed, (const uint8_t *)token, n);
	const struct token *k = t->tokens[hash & (t->tokens_size - 1)];

	while (k && !token_is(k, hash, token, n))
		k = k->next;
	return k;
}

size_t table_nodes(const struct table *t)
{
	return t->nodes_n;
}

size_t table_tokens(const struct table *t)
{
	return t->tokens_n;
}
