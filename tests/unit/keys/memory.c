/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c - the caller's memory holds no private key when the key module is a process of its own: all writable memory is
 * written to a file, and only then is the key exported and looked for in it. The same search must find the key when the
 * module is in this process, else the search proves nothing.
 */
#include "base/base64.h"
#include "rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

bool rig_separate;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#define SCALAR 32

/* "start-end rw-p ..." with both numbers in hex. */
static bool writable_range(const char *line, uintptr_t *from, uintptr_t *to)
{
	char *end;

	*from = strtoul(line, &end, 16);
	if (*end != '-')
		return false;
	*to = strtoul(end + 1, &end, 16);
	return str_starts(end, " rw") && !strstr(end, "[vvar") && !strstr(end, "[vsyscall");
}

static void dump_memory(const char *path)
{
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), out = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	FILE *maps = fopen("/proc/self/maps", "re");
	static char line[1024], page[4096];
	uintptr_t from, to;

	ASSERT_TRUE(mem >= 0 && out >= 0 && maps);
	while (fgets(line, sizeof line, maps)) {
		if (!writable_range(line, &from, &to))
			continue;
		for (; from < to; from += sizeof page)
			if (pread(mem, page, sizeof page, (off_t)from) == (ssize_t)sizeof page)
				ASSERT_INT(fd_write_all(out, page, sizeof page), 0);
	}
	memset(page, 0, sizeof page);
	fclose(maps);
	close(mem);
	close(out);
}

/* The private number inside PKCS#8 (RFC 5915: INTEGER 1, OCTET STRING of 32 bytes). */
static void scalar_of(const struct secret *pem, unsigned char ret[SCALAR])
{
	_cleanup_buf_wipe_ struct buf text = BUF_MAX(4096), der = BUF_MAX(4096);
	struct err err = ERR_INIT;
	const unsigned char *at;

	for (const char *p = strchr((char *)pem->p, '\n') + 1; *p && *p != '-'; p++)
		if (*p != '\n')
			buf_add_char(&text, *p);
	ASSERT_OK(base64_decode(&der, text.p, text.n, &err), &err);
	at = memmem(der.p, der.n, "\x02\x01\x01\x04\x20", 5);
	ASSERT_TRUE(at);
	memcpy(ret, at + 5, SCALAR);
}

/* Also in the order in which the crypto library keeps numbers. */
static unsigned count_in_file(const char *path, const unsigned char scalar[SCALAR])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char reversed[SCALAR], *all;
	unsigned found = 0;
	struct stat st;

	for (size_t i = 0; i < SCALAR; i++)
		reversed[i] = scalar[SCALAR - 1 - i];
	ASSERT_TRUE(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0);
	all = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_TRUE(all != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		for (const unsigned char *p = all; (p = memmem(p, (size_t)(all + st.st_size - p), i ? reversed : scalar, SCALAR)); p++)
			found++;
	munmap(all, (size_t)st.st_size);
	close(fd);
	return found;
}

static unsigned copies_after_use(void)
{
	_cleanup_rig_ struct rig r = rig_new();
	_cleanup_key_made_ struct key_made m = make(&r, KEY_CERTIFICATE, KEY_P256, ID);
	_cleanup_free_ char *path = path_join(r.dir, "memory");
	_cleanup_strlist_ struct strlist names = { 0 };
	_cleanup_secret_ struct secret pem = { 0 };
	struct key_handle h = handle(&m, ID);
	unsigned char scalar[SCALAR];
	unsigned found;

	strlist_add(&names, "a.example.com");
	for (int i = 0; i < 20; i++) {
		_cleanup_free_ unsigned char *der = NULL;
		size_t n;

		ASSERT_OK(keys_sign_csr(r.keys, &(struct csr_request){ h, &names, NULL, false }, &der, &n, &r.err), &r.err);
	}
	dump_memory(path);
	ASSERT_OK(keys_export(r.keys, &h, OTHER, &pem, &r.err), &r.err);
	scalar_of(&pem, scalar);
	found = count_in_file(path, scalar);
	explicit_bzero(scalar, sizeof scalar);
	unlink(path);
	return found;
}

static void only_the_process_that_signs_holds_the_key(void **state)
{
#ifdef SANITIZED
	skip();
#endif
	rig_separate = true;
	ASSERT_INT(copies_after_use(), 0);
}

static void the_search_finds_a_key_that_is_here(void **state)
{
	unsigned found;

#ifdef SANITIZED
	skip();
#endif
	rig_separate = false;
	found = copies_after_use();
	print_message("%u copies in the process that signs\n", found);
#ifndef KEYS_SOCKET
	ASSERT_TRUE(found >= 1);
	ASSERT_TRUE(found <= 2); /* the open key; nothing left behind by making, packing, sealing and opening it */
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_process_that_signs_holds_the_key),
		TEST(the_search_finds_a_key_that_is_here),
	};

	return RUN(tests);
}
