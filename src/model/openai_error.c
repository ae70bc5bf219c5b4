#include "base/utf8.h"
#include "model/openai.h"

static bool has_word(struct bx_str text, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bx_str_find_str(text, bx_str(words[i])) != (size_t)-1) {
            return true;
        }
    }
    return false;
}

static bool is_context_error(struct bx_str text) {
    static const char *const words[] = {
        "context_length",      "context length",  "context window",
        "exceed_context_size", "context size",    "maximum context",
        "prompt is too long",  "too many tokens", "input is too long"};
    return has_word(text, words, BX_ARRAY_LEN(words));
}

static bool is_passing(struct bx_str text) {
    static const char *const words[] = {"overloaded",   "rate_limit",    "rate limit",
                                        "server_error", "timeout",       "temporarily",
                                        "unavailable",  "internal error"};
    return has_word(text, words, BX_ARRAY_LEN(words));
}

/* Type, code and message of the error as one lower-case text; ret_message: the part for people. */
static void describe(struct bx_str body, struct bx_buf *all, struct bx_buf *ret_message) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *root = bx_doc_parse(body, NULL, &doc, NULL) == 0 ? bx_doc_root(doc) : NULL;
    if (bx_val_is(root, BX_VAL_ARR)) {
        root = bx_val_at(root, 0); // Gemini wraps its errors in a list
    }
    const struct bx_val *error = bx_val_get(root, "error");
    struct bx_str message =
        bx_val_is(error, BX_VAL_STR) ? bx_val_str(error) : bx_val_get_str(error, "message");
    if (message.n == 0) {
        message = bx_val_get_str(root, "message");
    }
    if (message.n == 0) {
        message = bx_val_get_str(root, "detail");
    }
    bx_buf_adds(ret_message,
                bx_str_slice(message, 0, bx_utf8_cut(message, BX_MIN(message.n, 300))));
    bx_buf_addf(all, BX_STR_FMT " " BX_STR_FMT " " BX_STR_FMT,
                BX_STR_ARG(bx_val_get_str(error, "type")),
                BX_STR_ARG(bx_val_get_str(error, "code")), BX_STR_ARG(message));
    for (size_t i = 0; i < all->size; i++) {
        all->p[i] =
            (char)(all->p[i] >= 'A' && all->p[i] <= 'Z' ? all->p[i] + ('a' - 'A') : all->p[i]);
    }
}

static int status_in_body(struct bx_str body) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(body, NULL, &doc, NULL) < 0) {
        return 0;
    }
    int64_t code = bx_val_get_int(bx_val_get(bx_doc_root(doc), "error"), "code", 0);
    return code >= 400 && code < 600 ? (int)code : 0;
}

static int judge(int status, struct bx_str all) {
    if (is_context_error(all) && status != 401 && status != 403) {
        return BX_ERR_LIMIT;
    }
    if (status == 401 || status == 403) {
        return BX_ERR_AUTH;
    }
    static const char *const spent[] = {"insufficient_quota", "insufficient_balance",
                                        "insufficient balance"};
    if (has_word(all, spent, BX_ARRAY_LEN(spent))) {
        return BX_ERR_DENIED;
    }
    if (status == 408 || status == 429 || status >= 500) {
        return BX_ERR_RETRY;
    }
    if (status == 404) {
        return BX_ERR_NOTFOUND;
    }
    if (status == 0) {
        return is_passing(all) ? BX_ERR_RETRY : BX_ERR_PROTO;
    }
    return BX_ERR_INVALID;
}

int bx_openai_error(int status, struct bx_str body, const char *who, struct bx_err *err) {
    struct bx_buf all = BX_BUF_INIT(64 * BX_KIB), message = BX_BUF_INIT(BX_KIB);
    if (status == 0) {
        status = status_in_body(body);
    }
    describe(body, &all, &message);
    int code = judge(status, bx_str_n(bx_buf_z(&all), all.size));
    const char *says = message.size ? bx_buf_z(&message) : "no reason given";
    switch (code) {
    case BX_ERR_LIMIT:
        bx_fail(err, code, "the conversation is longer than the model's window (%s: %s)", who,
                says);
        break;
    case BX_ERR_AUTH:
        bx_fail(err, code, "%s refuses the key (%d: %s)", who, status, says);
        break;
    default:
        if (status > 0) {
            bx_fail(err, code, "%s answered %d: %s", who, status, says);
        } else {
            bx_fail(err, code, "%s reports an error: %s", who, says);
        }
    }
    bx_buf_deinit(&all);
    bx_buf_deinit(&message);
    return code;
}
