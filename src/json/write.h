/* json/write.h: JSON text written front to back into a buffer.
 *
 * One thread at a time. The writer puts the commas; nesting is checked by assert. Strings must be UTF-8: invalid bytes
 * become U+FFFD. Compact, one line (control characters are escaped), so a value is always a valid JSON-lines record.
 *
 *     struct bx_jw w;
 *     bx_jw_init(&w, &buf);
 *     bx_jw_obj(&w);
 *         bx_jw_kstr(&w, "type", "user");
 *         bx_jw_key(&w, "blocks"); bx_jw_arr(&w); … bx_jw_end(&w);
 *     bx_jw_end(&w);
 * A buffer that reached its maximum is seen once at the end: bx_buf_failed(&buf). */
#ifndef BX_JSON_WRITE_H
#define BX_JSON_WRITE_H

#include "json/json.h"

struct bx_jw {
    struct bx_buf *out;
    unsigned depth;
    uint64_t is_obj[4];  /* bit per level: object or array */
    uint64_t has_item[4]; /* bit per level: a comma is due */
    bool after_key;
};

void bx_jw_init(struct bx_jw *w, struct bx_buf *out);
void bx_jw_obj(struct bx_jw *w);
void bx_jw_arr(struct bx_jw *w);
void bx_jw_end(struct bx_jw *w); /* closes the innermost object or array */
void bx_jw_key(struct bx_jw *w, const char *key);
void bx_jw_keys(struct bx_jw *w, struct bx_str key);

void bx_jw_str(struct bx_jw *w, struct bx_str s);
void bx_jw_z(struct bx_jw *w, const char *z); /* NULL writes null */
void bx_jw_int(struct bx_jw *w, int64_t n);
void bx_jw_uint(struct bx_jw *w, uint64_t n);
void bx_jw_real(struct bx_jw *w, double n);   /* shortest form that reads back; null when not finite */
void bx_jw_bool(struct bx_jw *w, bool b);
void bx_jw_null(struct bx_jw *w);
void bx_jw_val(struct bx_jw *w, const struct bx_val *v); /* a copy; absent writes null */
void bx_jw_raw(struct bx_jw *w, struct bx_str json);     /* must be one complete value on one line: our own text only */

void bx_jw_kstr(struct bx_jw *w, const char *key, const char *z);
void bx_jw_kstrn(struct bx_jw *w, const char *key, struct bx_str s);
void bx_jw_kint(struct bx_jw *w, const char *key, int64_t n);
void bx_jw_kuint(struct bx_jw *w, const char *key, uint64_t n);
void bx_jw_kreal(struct bx_jw *w, const char *key, double n);
void bx_jw_kreal_if(struct bx_jw *w, const char *key, double n, bool known); /* null when it is not */
void bx_jw_kbool(struct bx_jw *w, const char *key, bool b);
void bx_jw_kval(struct bx_jw *w, const char *key, const struct bx_val *v);
void bx_jw_kraw(struct bx_jw *w, const char *key, struct bx_str json);
void bx_jw_kobj(struct bx_jw *w, const char *key); /* opens an object */
void bx_jw_karr(struct bx_jw *w, const char *key); /* opens an array */

/* Just the quoted, escaped string. */
int bx_json_quote(struct bx_buf *out, struct bx_str s);
/* Pretty text for people (two spaces). */
int bx_json_pretty(struct bx_buf *out, const struct bx_val *v);

#endif
