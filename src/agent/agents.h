/* agent/agents.h: agent definitions: `NAME.md` files with a front matter, found, checked and listed.
 *
 * Any thread; a list never changes once it is made, and making it reads the disk: a run that needs one makes it at its start, so
 * a changed file counts from the next run on. Looked for in `.boxagnts/agents`, `.claude/agents` and `.agents/agents` of the root,
 * in `agents` of the workspace's state, in the user's folder, then among those that are built in; the nearest of a name wins, the
 * others are listed as shadowed. A broken one is listed with the reason and never used.
 *
 * A file of the root is the project's, whoever wrote it: its text is material, and what it names can only take away from what
 * the session has (bx_agent_def_narrow, permit.h). No link leads out of the root (bx_file_open_beneath).
 * Limits: 64 KiB of front matter, 64 KiB of text, 200 files and 3 levels of folders in each place. */
#ifndef BX_AGENT_AGENTS_H
#define BX_AGENT_AGENTS_H

#include "base/blob.h"
#include "json/write.h"
#include "permit/permit.h"

#define BX_AGENT_TEXT_MAX  (64 * BX_KIB)
#define BX_AGENT_TURNS_MAX 10000

struct bx_registry;

enum bx_agent_source { BX_AGENT_ROOT, BX_AGENT_WORKSPACE, BX_AGENT_USER, BX_AGENT_BUILT_IN };
const char *bx_agent_source_name(enum bx_agent_source source); /* "root" "workspace" "user" "built in" */

struct bx_agent_def {
    char *name, *description;
    char *prompt;       /* the text behind the front matter, never empty */
    char **tools;       /* patterns as in struct bx_narrow, NULL ended; NULL: all that the session has */
    char *model;        /* as a session names it; NULL: the one of who asks */
    unsigned max_turns; /* 0: not said */
    bool has_mode;      /* it asks for a mode, in `mode`; never bypass. The stricter of its and the session's counts; plan is
                           kept to by bx_agent_def_narrow: who cannot leave plan mode need not be in it */
    enum bx_mode mode;
    bool worktree;      /* isolation: worktree */
    enum bx_agent_source source;
    char *path;         /* root: its guest path; else the host's; "built in" */
    bool shadowed;      /* a nearer one has its name */
    char *problem;      /* why it cannot be used, or NULL */
    char *warning;      /* what is odd about it, or NULL */
    char *text;         /* the whole file; NULL when it could not be read */
};
struct bx_agent_defs {
    struct bx_agent_def *items; /* nearest place first, then by path */
    size_t n;
    bool cut; /* there are more files than are looked at */
};
struct bx_agent_places {
    const char *root;                     /* host folder, or NULL */
    const char *state, *user;             /* the workspace's state; the user's folder of agents; or NULL */
    const struct bx_file_blob *built_in;  /* NULL name ends it; or NULL */
    struct bx_registry *registry;         /* to know the names of tools; or NULL: they are not checked */
};

/* The i-th host folder that is looked into; the caller's, NULL behind the last. */
char *bx_agent_places_folder(const struct bx_agent_places *places, size_t i);
/* Never fails: what cannot be read is left out or listed as broken. */
struct bx_agent_defs *bx_agent_defs_load(const struct bx_agent_places *places);
void bx_agent_defs_free(struct bx_agent_defs *defs);
BX_DEFINE_AUTO(struct bx_agent_defs, bx_agent_defs_free)

bool bx_agent_def_usable(const struct bx_agent_def *d); /* neither broken nor shadowed */
/* Of this name: the usable one, else a broken one, else NULL. */
const struct bx_agent_def *bx_agent_defs_get(const struct bx_agent_defs *defs, struct bx_str name);
/* The usable one, or a sentence that lets the caller mend the name: BX_ERR_NOTFOUND, BX_ERR_INVALID (broken). A view. */
int bx_agent_defs_find(const struct bx_agent_defs *defs, struct bx_str name, const struct bx_agent_def **ret, struct bx_err *err);
/* What a definition leaves of the tools of who asks; views into d, `by` into the buffer ("agent explore"). */
void bx_agent_def_narrow(const struct bx_agent_def *d, char by[static 80], struct bx_narrow *ret);
/* {"name","description","tools","model","max_turns","mode","isolation","source","path","problem"?,"warning"?,"shadowed"?}; with
 * `text` also {"text"}. */
void bx_agent_def_write(const struct bx_agent_def *d, bool text, struct bx_jw *w);

/* One file's text, as it would be read at `path` (the last part gives a name to one that names itself nothing). Owned by the
 * caller: bx_agent_def_deinit. registry may be NULL. */
void bx_agent_def_parse(struct bx_str text, const char *path, struct bx_registry *registry, struct bx_agent_def *ret);
void bx_agent_def_deinit(struct bx_agent_def *d);

/* ---- the workspace's and the user's own; by the API and the command line ---- */
/* BX_ERR_INVALID: at most 64 letters, digits, - _ and . (not first). */
int bx_agent_def_check_name(const char *name, struct bx_err *err);
/* Writes NAME.md into the folder after checking it. BX_ERR_INVALID with the reason; the text's own name must be `name`. */
int bx_agent_def_put(const char *folder, const char *name, struct bx_str text, struct bx_registry *registry, struct bx_err *err);
/* Takes out the nearest one of the workspace or the user. BX_ERR_NOTFOUND; BX_ERR_DENIED for the root's and built-in ones, with
 * what to do instead. */
int bx_agent_def_remove(const struct bx_agent_defs *defs, const char *name, struct bx_err *err);

#endif
