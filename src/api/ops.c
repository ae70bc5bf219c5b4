#include "api/ops.h"

#include "base/id.h"
#include "json/write.h"

#define SESSION                                                                                    \
    { .name = "session", .type = BX_VAL_STR, .required = true, .max_bytes = BX_ID_LEN }
#define OP                                                                                         \
    { .name = "op", .type = BX_VAL_STR, .required = true, .max_bytes = 20 }
#define REF                                                                                        \
    { .name = "ref", .type = BX_VAL_STR, .max_bytes = 200 }

static const struct bx_member subscribe_members[] = {
    OP, SESSION, {.name = "from", .type = BX_VAL_INT}, REF, {.name = NULL}};
static const struct bx_member session_members[] = {OP, SESSION, REF, {.name = NULL}};
static const struct bx_member send_members[] = {
    OP,
    SESSION,
    {.name = "text", .type = BX_VAL_STR, .required = true, .max_bytes = BX_MIB},
    {.name = "replace", .type = BX_VAL_INT},
    {.name = "stop", .type = BX_VAL_BOOL},
    REF,
    {.name = NULL}};
static const struct bx_member answer_members[] = {
    OP,
    SESSION,
    {.name = "question", .type = BX_VAL_STR, .required = true, .max_bytes = 100},
    {.name = "choice", .type = BX_VAL_STR, .required = true, .max_bytes = 20},
    {.name = "text", .type = BX_VAL_STR},
    {.name = "answers", .type = BX_VAL_ARR},
    REF,
    {.name = NULL}};
static const struct bx_member ping_members[] = {OP, REF, {.name = NULL}};

static const struct {
    const char *name;
    const struct bx_member *members;
} ops[] = {
    [BX_OP_SUBSCRIBE] = {"subscribe", subscribe_members},
    [BX_OP_UNSUBSCRIBE] = {"unsubscribe", session_members},
    [BX_OP_SEND] = {"send", send_members},
    [BX_OP_STOP] = {"stop", session_members},
    [BX_OP_ANSWER] = {"answer", answer_members},
    [BX_OP_PING] = {"ping", ping_members},
};

static int check(const struct bx_val *root, enum bx_op *ret_op, struct bx_err *err) {
    char field[64];
    struct bx_str name = bx_val_get_str(root, "op");
    unsigned op = 0;
    while (op < BX_ARRAY_LEN(ops) && !bx_str_eqz(name, ops[op].name))
        op++;
    if (op == BX_ARRAY_LEN(ops))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"op\" must be subscribe, unsubscribe, send, stop, answer or ping");
    int r = bx_body_check(root, ops[op].members, field, err);
    if (r < 0)
        return r;
    struct bx_str session = bx_val_get_str(root, "session");
    if (session.p && !bx_id_is_valid(session))
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no such session");
    if (op == BX_OP_SUBSCRIBE && bx_val_get_int(root, "from", 1) < 1)
        return bx_fail(err, BX_ERR_INVALID, "\"from\" begins at 1");
    if (op == BX_OP_SEND && bx_str_trim(bx_val_get_str(root, "text")).n == 0)
        return bx_fail(err, BX_ERR_INVALID, "\"text\" is empty: write a message");
    if (op == BX_OP_SEND && bx_val_get_int(root, "replace", 0) < 0)
        return bx_fail(err, BX_ERR_INVALID, "\"replace\" is the seq of one of your messages");
    if (op == BX_OP_SEND && bx_val_get_bool(root, "stop", false) && !bx_val_get(root, "replace"))
        return bx_fail(err, BX_ERR_INVALID, "\"stop\" goes with \"replace\"");
    *ret_op = (enum bx_op)op;
    return 0;
}

int bx_op_parse(struct bx_str text, enum bx_op *ret_op, struct bx_doc **ret_doc, char **ret_ref,
                struct bx_err *err) {
    static const struct bx_json_limits limits = {.max_depth = 16};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    *ret_ref = NULL;
    int r = bx_doc_parse(text, &limits, &doc, err);
    if (r < 0)
        return bx_wrap(err, BX_ERR_INVALID, "the message is not valid JSON");
    struct bx_str ref = bx_val_get_str(bx_doc_root(doc), "ref");
    if (ref.p && ref.n <= 200)
        *ret_ref = bx_str_dup(ref);
    r = check(bx_doc_root(doc), ret_op, err);
    if (r == 0)
        *ret_doc = bx_steal(&doc);
    return r;
}

static struct bx_jw begin(struct bx_buf *out, const char *op) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "op", op);
    return w;
}

void bx_op_write_ok(struct bx_buf *out, const char *ref, const struct bx_said *said) {
    struct bx_jw w = begin(out, "ok");
    if (ref)
        bx_jw_kstr(&w, "ref", ref);
    if (said && *said->run)
        bx_jw_kstr(&w, "run", said->run);
    if (said && *said->queued)
        bx_jw_kstr(&w, "queued", said->queued);
    bx_jw_end(&w);
}

void bx_op_write_error(struct bx_buf *out, const char *ref, int code, const char *text) {
    struct bx_jw w = begin(out, "error");
    if (ref)
        bx_jw_kstr(&w, "ref", ref);
    bx_jw_kstr(&w, "code", bx_err_name(code));
    bx_jw_kstr(&w, "text", text && *text ? text : bx_err_text(code));
    bx_jw_end(&w);
}

void bx_op_write_event(struct bx_buf *out, const char *session, struct bx_str event) {
    struct bx_jw w = begin(out, "event");
    bx_jw_kstr(&w, "session", session);
    bx_jw_kraw(&w, "event", event);
    bx_jw_end(&w);
}

void bx_op_write_caught_up(struct bx_buf *out, const char *session, uint64_t seq, bool running) {
    struct bx_jw w = begin(out, "caught_up");
    bx_jw_kstr(&w, "session", session);
    bx_jw_kuint(&w, "seq", seq);
    bx_jw_kbool(&w, "running", running);
    bx_jw_end(&w);
}
