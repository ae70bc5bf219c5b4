/* tools/seen.h: a file that changed since the session read it is not overwritten in silence.
 *
 * Any thread; the state is part of a bx_tool_session and under its lock. Which version of a file a session has seen is what
 * the host itself found on the disk (device, inode, size, time of the last change) before a call that read it, or after a
 * call that wrote it: never what a guest says. Files are known by their real path on the host, so that a link and its target
 * are the same file. A tool says in its descriptor what it does to the files that it names:
 *
 *     "file_effect": "sees"      read: remembers the version
 *                    "changes"   edit: refused when the file is another than the one that was seen last
 *                    "replaces"  write: refused too when the file is not empty and was never seen
 *
 * A call without a session (by a person) is not held. Control "stale". */
#ifndef BX_TOOLS_SEEN_H
#define BX_TOOLS_SEEN_H

#include "base/base.h"

struct bx_grant;
struct bx_call_reach;
struct bx_tool_session;

enum bx_file_effect { BX_FILE_NONE, BX_FILE_SEES, BX_FILE_CHANGES, BX_FILE_REPLACES };
bool bx_file_effect_parse(struct bx_str name, enum bx_file_effect *ret);

#define BX_SEEN_FILES_MAX 4096 /* for a session; then the one that was seen longest ago is forgotten */

struct bx_seen {
    struct bx_map *versions; /* host path -> version; the one seen last stands last */
};
void bx_seen_init(struct bx_seen *s);
void bx_seen_deinit(struct bx_seen *s);

struct bx_file_version {
    uint64_t device, inode, size;
    int64_t mtime_ns;
};
#define BX_SEEN_CALL_MAX 16 /* files that one call names; more are not looked at */

/* One call, from before it to after it. Zero-initialised; does nothing where session is NULL. */
struct bx_seen_call {
    struct bx_tool_session *session; /* borrowed */
    const struct bx_grant *grant;
    enum bx_file_effect effect;
    struct bx_seen_file {
        const char *path; /* guest path, borrowed from the reach */
        char *key;        /* NULL: not there, or no plain file */
        struct bx_file_version version;
    } files[BX_SEEN_CALL_MAX];
    size_t n;
};
/* BX_ERR_DENIED with a sentence for the model when the call must not be made. */
int bx_seen_begin(struct bx_seen_call *c, struct bx_tool_session *session, enum bx_file_effect effect,
                  const struct bx_call_reach *reach, const struct bx_grant *grant, struct bx_err *err);
void bx_seen_end(struct bx_seen_call *c, bool succeeded);
void bx_seen_call_deinit(struct bx_seen_call *c);

#endif
