/* cli/editor.h: a line typed on a terminal, with editing, history and completion (libedit, BSD licence; nobody else includes it).
 *
 * One thread; one editor a process. Between two reads the terminal is as it was. */
#ifndef BX_CLI_EDITOR_H
#define BX_CLI_EDITOR_H

#include "base/buf.h"

struct bx_editor;

/* What may stand for the word that ends at the cursor: adds each as one call of add(to, text), text with what is typed
 * already. line: all before the cursor. */
typedef void bx_complete_fn(void *user, struct bx_str line, struct bx_str word, void (*add)(void *to, struct bx_str text), void *to);

/* history: a file (0600) that lines are kept in, or NULL. interrupt_fd: readable when the person pressed Ctrl-C. NULL: this
 * terminal cannot do it (TERM=dumb): read plain lines. */
struct bx_editor *bx_editor_new(const char *history, int interrupt_fd, bx_complete_fn *complete, void *user);
void bx_editor_free(struct bx_editor *e); /* NULL is fine */

enum bx_edit { BX_EDIT_LINE, BX_EDIT_INTERRUPTED, BX_EDIT_END };
/* Adds the line without its end to out. Several lines that were pasted at once are one, with the newlines in it. */
enum bx_edit bx_editor_read(struct bx_editor *e, const char *prompt, struct bx_buf *out);

#endif
