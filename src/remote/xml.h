/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml.h - a reader for the XML of API answers: elements with text, nothing else. Attributes are skipped (they are name spaces
 * there), names lose their prefix. There is no DTD, no processing instruction, no entity but the five and numbers: they are
 * refused, so nothing can expand or be fetched. At most XML_DEPTH levels, text of one element at most XML_TEXT bytes, UTF-8 only,
 * one root, every tag closed by its own name.
 */
#ifndef REMOTE_XML_H
#define REMOTE_XML_H

#include "base/buf.h"

#define XML_DEPTH 16
#define XML_TEXT (64 * 1024)

/*
 * Called at the end of each element: path is "/Root/List/Item", text what stands in it, "" for elements that hold others.
 * Both are borrowed for the call. Non-zero ends the walk and is returned.
 */
typedef int xml_fn(void *arg, const char *path, const char *text);

/* 0, what fn returned, or -ERR_REMOTE_BAD with what is wrong at which byte. fn may have been called before that. */
int xml_walk(const char *p, size_t n, xml_fn *fn, void *arg, struct err *err);

/* Adds text with & < > " ' escaped, and control characters that XML 1.0 cannot hold as '?'. */
void xml_escape(struct buf *out, const char *s);

#endif
