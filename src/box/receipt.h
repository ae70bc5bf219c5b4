/* box/receipt.h: what was done, under which grant, at what cost: one JSON line per call, chained.
 *
 * In the server; any thread. Files are <day>.jsonl (UTC). Each line carries the SHA-256 of the line before it, over all
 * days, so that taking one out or changing one is seen (bx_receipts_verify). Several processes may append to one folder.
 * A line that was torn by a crash stays and is part of the chain. Content of inputs and outputs is never in it, only
 * digests. Appending costs some microseconds; it is not forced to disk. */
#ifndef BX_BOX_RECEIPT_H
#define BX_BOX_RECEIPT_H

#include "base/id.h"
#include "base/sha256.h"
#include "box/grant.h"

struct bx_receipt_host { /* traffic of one call with one host */
    char *host;
    uint64_t sent_bytes, received_bytes;
    bool denied;
};
struct bx_jw;
/* {…,"hosts":{HOST:{"sent_bytes","received_bytes","denied"}}} */
void bx_receipt_write_hosts(struct bx_jw *w, const struct bx_receipt_host *hosts, size_t count);
struct bx_receipt_permit { /* what the permission check said of the call; all NULL: it never came to one */
    const char *decision; /* "allow" "deny" */
    const char *by;       /* "mode" "rule" "user" … (docs/events.md, `permission`) */
    const char *rule;     /* its id, or NULL */
};
struct bx_receipt { /* borrowed */
    const char *tool;
    const char *call_id;     /* of the model's call; may be NULL */
    const char *digest;      /* of the tool, hex; NULL when it never got that far */
    struct bx_str input, output;
    const struct bx_grant *granted; /* may be NULL: denied before there was one */
    uint64_t fuel, memory_peak_bytes, wall_us, cpu_us, out_bytes;
    const struct bx_receipt_host *hosts;
    size_t host_count;
    const struct bx_barred *barred; /* of the bars of `granted` */
    size_t barred_count;
    struct bx_receipt_permit permit;
    const char *limit;       /* or NULL */
    const char *verdict;     /* "ok" "error" "stopped" "crashed" "denied" "failed" */
    const char *reason;      /* of a denial or failure; may be NULL */
};

struct bx_receipts;
int bx_receipts_open(const char *dir, struct bx_receipts **ret, struct bx_err *err); /* makes the folder, 0700 */
void bx_receipts_close(struct bx_receipts *r);
BX_DEFINE_AUTO(struct bx_receipts, bx_receipts_close)
/* ret_id: the receipt's name. BX_ERR_IO …: the call itself went on. */
int bx_receipts_append(struct bx_receipts *r, const struct bx_receipt *receipt, char ret_id[static BX_ID_LEN + 1],
                       struct bx_err *err);
/* Walks the chain: 0 and the number of lines, or BX_ERR_DAMAGED naming file and line of the first break. A chain may begin
 * anywhere (older days may have been deleted), not end early: that needs the last digest kept elsewhere. */
int bx_receipts_verify(const char *dir, size_t *ret_count, struct bx_err *err);

#endif
