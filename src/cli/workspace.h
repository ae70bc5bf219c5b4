/* cli/workspace.h: which folders a command works on.
 *
 *   --workspace-dir DIR   state DIR/.boxagnts, root DIR/root (made when missing)
 *   DIR, or nothing       a project: root DIR, state $XDG_STATE_HOME/boxagnts/projects/<name>-<hash>
 *   --root DIR            another root with the state of the above; alone, the project in that folder
 * Tools see <state>/tmp at /tmp, unless the root has an entry of that name.
 * A root that contains the state folder is refused: tools would see and change their own rules. */
#ifndef BX_CLI_WORKSPACE_H
#define BX_CLI_WORKSPACE_H

#include "box/grant.h"
#include "cli/args.h"

struct bx_workspace {
    char *name;  /* what the user named: for messages and the page */
    char *state; /* absolute */
    char *root;  /* absolute, without symbolic links */
    struct bx_mount *mounts; /* beside the root */
    size_t mount_count;
};

/* operand: the DIR of the command line, or NULL. make: folders are made when missing (commands that only look do not). */
int bx_workspace_find(const struct bx_args *args, const char *operand, bool make, struct bx_workspace *ret, struct bx_err *err);
void bx_workspace_deinit(struct bx_workspace *w);

/* $XDG_…_HOME/boxagnts/tail or ~/fallback/boxagnts/tail; the caller's. */
char *bx_xdg_path(const char *variable, const char *fallback, const char *tail);
char *bx_models_dir(void);
char *bx_agents_dir(void); /* of the user's own */

#endif
