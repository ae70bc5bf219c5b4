/* box/receipt_read.h: the last receipts of a tool, for people.
 *
 * Any thread; blocks on the disk. Looks from the newest line backwards through at most 16 MiB, so that a long history costs
 * no more than a short one. Lines that cannot be read are left out: whether the chain is whole is bx_receipts_verify's
 * question. */
#ifndef BX_BOX_RECEIPT_READ_H
#define BX_BOX_RECEIPT_READ_H

#include "json/write.h"

/* Writes a JSON array of at most max receipts, newest first. tool: of this one only; NULL: of all. */
void bx_receipts_recent(const char *dir, const char *tool, size_t max, struct bx_jw *w);

#endif
