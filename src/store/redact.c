#include "store/redact.h"

#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "json/write.h"

#define SECRET_MIN  8 /* shorter ones would hit words */
#define DEPTH_MAX   16
#define SECRET_TEXT "[secret]"

static void add_secret(struct bx_redact *r, struct bx_str s) {
    if (s.n < SECRET_MIN)
        return;
    struct bx_buf quoted = BX_BUF_INIT(8 * BX_MIB);
    bx_json_quote(&quoted, s);
    bx_buf_cut(&quoted, quoted.size - 1);
    bx_buf_consume(&quoted, 1);
    bx_vec_push(&r->secrets, bx_buf_steal(&quoted));
}

/* What a sign-in gave is one secret that is JSON: its tokens count, the addresses beside them do
 * not. */
static void add_tokens(struct bx_redact *r, struct bx_str s) {
    static const char *const names[] = {"access_token", "refresh_token", "client_secret"};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!bx_str_starts(s, "{") || bx_doc_parse(s, NULL, &doc, NULL) < 0)
        return;
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        add_secret(r, bx_val_get_str(bx_doc_root(doc), names[i]));
}

static void gather(struct bx_redact *r, const struct bx_val *v, unsigned depth) {
    add_secret(r, bx_val_str(v));
    add_tokens(r, bx_val_str(v));
    if (depth == 0)
        return;
    bx_val_foreach_item (v, item)
        gather(r, item, depth - 1);
    bx_val_foreach_member (v, key, value) {
        (void)key;
        gather(r, value, depth - 1);
    }
}

static int longest_first(const void *a, const void *b) {
    size_t na = strlen(*(char *const *)a), nb = strlen(*(char *const *)b);
    return na < nb ? 1 : na > nb ? -1 : 0;
}

int bx_redact_load(struct bx_store *s, struct bx_redact *ret, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(bx_store_dir(s), "auth.json");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    *ret = (struct bx_redact){.secrets = {0}};
    if (!bx_file_exists(path))
        return 0;
    if (bx_doc_read_file(path, NULL, &doc, NULL) < 0) /* its message might quote what is secret */
        return bx_fail(err, BX_ERR_DAMAGED, "'%s' cannot be read: mend it or move it away", path);
    if (!bx_unwired("redact"))
        gather(ret, bx_doc_root(doc), DEPTH_MAX);
    if (ret->secrets.n)
        qsort(ret->secrets.p, ret->secrets.n, sizeof *ret->secrets.p, longest_first);
    return 0;
}

void bx_redact_deinit(struct bx_redact *r) {
    for (size_t i = 0; i < r->secrets.n; i++)
        bx_free(r->secrets.p[i]);
    bx_vec_free(&r->secrets);
}

/* The first secret at or behind `from`, or the end; of two that begin together the longer. */
static size_t next_secret(const struct bx_redact *r, struct bx_str json, size_t from,
                          size_t *ret_n) {
    size_t best = json.n;
    *ret_n = 0;
    for (size_t i = 0; i < r->secrets.n; i++) {
        struct bx_str secret = bx_str(r->secrets.p[i]);
        size_t reach = BX_MIN(json.n, best + secret.n -
                                          1); /* where one that begins before the best has ended */
        size_t at = bx_str_find_str(bx_str_n(json.p + from, reach - from), secret);
        if (at != (size_t)-1) {
            best = from + at;
            *ret_n = secret.n;
        }
    }
    return best;
}

void bx_redact_add(const struct bx_redact *r, struct bx_str json, struct bx_buf *out) {
    for (size_t from = 0; from < json.n;) {
        size_t n, at = next_secret(r, json, from, &n);
        bx_buf_add(out, json.p + from, at - from);
        if (n)
            bx_buf_addz(out, SECRET_TEXT);
        from = at + n;
    }
}
