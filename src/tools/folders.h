/* tools/folders.h: the folders that hold tools from outside, and what is in them now.
 *
 * Any thread; a scan blocks on the disk and, for a new file, on the compiler. Folders are in order of precedence: what lies in
 * an earlier one hides what has its name in a later one, and all of them hide built-in tools of that name. A file that was
 * not changed is not read again. A file that is no tool is kept in mind with the reason, so that it can be shown instead of
 * being missed. Of more than 1000 files in a folder the first count, by name. Runs keep the tools they started with: the registry hands out references.
 *
 *     NAME.wasm         a WASI 0.2 component or wasip1 command; described by NAME.json beside it, else by --describe
 *     NAME.js           JavaScript, which the embedded jsexec runs; described by NAME.json, else by what it exports as descriptor
 *     NAME.remote.json  an HTTP request (remote.h) */
#ifndef BX_TOOLS_FOLDERS_H
#define BX_TOOLS_FOLDERS_H

#include "tools/registry.h"

struct bx_tool_folders;

struct bx_tool_folders_config {
    struct bx_registry *registry; /* outlives the folders */
    const char *const *dirs;      /* copied; one that is not there is empty */
    size_t dir_count;
};
struct bx_tool_folders *bx_tool_folders_new(const struct bx_tool_folders_config *config);
void bx_tool_folders_free(struct bx_tool_folders *f); /* takes its tools out of the registry */
BX_DEFINE_AUTO(struct bx_tool_folders, bx_tool_folders_free)

const char *bx_tool_folders_dir(const struct bx_tool_folders *f, size_t i); /* NULL behind the last */

/* Brings the registry up to date; true when anything is different from before. One scan at a time, others wait. */
bool bx_tool_folders_scan(struct bx_tool_folders *f);

/* One of the files was a symbolic link at the last scan: what it points to changes without a change in the folders. */
bool bx_tool_folders_has_links(struct bx_tool_folders *f);

struct bx_broken_tool {
    char *path;
    char *reason; /* one sentence */
};
/* The files that are no tools: a new array, all of it the caller's. */
struct bx_broken_tool *bx_tool_folders_broken(struct bx_tool_folders *f, size_t *ret_count);
void bx_broken_tools_free(struct bx_broken_tool *take_all, size_t count);

#endif
