/* store/export_impl.h: what the two forms of an export share. Not for other rooms. */
#ifndef BX_STORE_EXPORT_IMPL_H
#define BX_STORE_EXPORT_IMPL_H

#include "store/redact.h"
#include "store/session.h"

typedef void bx_export_line_fn(void *user, struct bx_str line);
/* The events that there are now, without secrets, one JSON text each. */
int bx_export_each(struct bx_store *store, struct bx_session *s, bx_export_line_fn *fn, void *user, struct bx_err *err);

/* Adds text to a page so that it is text, whatever it holds. */
void bx_html_text(struct bx_buf *out, struct bx_str text);
/* The same with what Markdown there is that helps reading: code, headings, emphasis. */
void bx_html_markdown(struct bx_buf *out, struct bx_str text);

#endif
