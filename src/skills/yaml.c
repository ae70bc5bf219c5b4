#include "skills/yaml.h"

#include <yaml.h>

#include "base/utf8.h"
#include "json/write.h"

#define MAX_DEPTH 16
#define JSON_MAX  (8 * BX_YAML_MAX)

struct reader {
    yaml_parser_t parser;
    struct bx_jw w;
    struct bx_err *err;
};

static int fail_at(struct reader *r, const yaml_mark_t *at, const char *what) {
    return bx_fail(r->err, BX_ERR_PROTO, "line %zu: %s", at->line + 1, what);
}

static int next(struct reader *r, yaml_event_t *ret) {
    if (yaml_parser_parse(&r->parser, ret))
        return 0;
    const yaml_parser_t *p = &r->parser;
    return bx_fail(r->err, BX_ERR_PROTO, "line %zu: %.200s", p->problem_mark.line + 1,
                   p->problem ? p->problem : "it is not YAML");
}

static const char *property_of(const yaml_event_t *e) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_ALIAS_EVENT)
        return "aliases are not taken";
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    }
    return anchor ? "anchors are not taken" : tag ? "tags are not taken" : NULL;
}

static void write_scalar(struct bx_jw *w, const yaml_event_t *e) {
    struct bx_str text = bx_str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    int64_t number;
    if (plain && (!text.n || bx_str_eqz(text, "~") || bx_str_eqz(text, "null")))
        bx_jw_null(w);
    else if (plain && (bx_str_eqz(text, "true") || bx_str_eqz(text, "false")))
        bx_jw_bool(w, text.p[0] == 't');
    else if (plain && bx_str_to_i64(text, &number))
        bx_jw_int(w, number);
    else
        bx_jw_str(w, text);
}

static int write_node(struct reader *r, yaml_event_t *e, unsigned depth);

static int write_sequence(struct reader *r, unsigned depth) {
    bx_jw_arr(&r->w);
    for (;;) {
        yaml_event_t e;
        int rc = next(r, &e);
        if (rc)
            return rc;
        bool end = e.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            rc = write_node(r, &e, depth);
        yaml_event_delete(&e);
        if (rc)
            return rc;
        if (end)
            break;
    }
    bx_jw_end(&r->w);
    return 0;
}

/* The keys of one mapping, to see those that come twice; a front matter has a handful. */
struct keys {
    char *items[200];
    size_t n;
};

static int take_key(struct reader *r, const yaml_event_t *e, struct keys *keys) {
    if (e->type != YAML_SCALAR_EVENT || property_of(e))
        return fail_at(r, &e->start_mark, "a key must be a plain word");
    struct bx_str key = bx_str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    for (size_t i = 0; i < keys->n; i++)
        if (bx_str_eqz(key, keys->items[i]))
            return fail_at(r, &e->start_mark, "a key comes twice");
    if (keys->n == BX_ARRAY_LEN(keys->items))
        return fail_at(r, &e->start_mark, "more than 200 keys");
    keys->items[keys->n++] = bx_str_dup(key);
    bx_jw_keys(&r->w, key);
    return 0;
}

static int write_members(struct reader *r, struct keys *keys, unsigned depth) {
    for (;;) {
        yaml_event_t e;
        int rc = next(r, &e);
        if (rc)
            return rc;
        bool end = e.type == YAML_MAPPING_END_EVENT;
        if (!end)
            rc = take_key(r, &e, keys);
        yaml_event_delete(&e);
        if (rc || end)
            return rc;
        if ((rc = next(r, &e)))
            return rc;
        rc = write_node(r, &e, depth);
        yaml_event_delete(&e);
        if (rc)
            return rc;
    }
}

static int write_mapping(struct reader *r, unsigned depth) {
    struct keys *keys = bx_new(struct keys);
    bx_jw_obj(&r->w);
    int rc = write_members(r, keys, depth);
    if (!rc)
        bx_jw_end(&r->w);
    for (size_t i = 0; i < keys->n; i++)
        bx_free(keys->items[i]);
    bx_free(keys);
    return rc;
}

static int write_node(struct reader *r, yaml_event_t *e, unsigned depth) {
    const char *property = property_of(e);
    if (property)
        return fail_at(r, &e->start_mark, property);
    if (depth == MAX_DEPTH)
        return fail_at(r, &e->start_mark, "it is nested more than 16 levels deep");
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        write_scalar(&r->w, e);
        return 0;
    case YAML_SEQUENCE_START_EVENT:
        return write_sequence(r, depth + 1);
    case YAML_MAPPING_START_EVENT:
        return write_mapping(r, depth + 1);
    default:
        return fail_at(r, &e->start_mark, "a value is missing");
    }
}

/* The stream: its start, a document of one mapping, its end. */
static int write_stream(struct reader *r) {
    bool any = false;
    for (;;) {
        yaml_event_t e;
        int rc = next(r, &e);
        if (rc)
            return rc;
        bool end = e.type == YAML_STREAM_END_EVENT;
        if (e.type == YAML_DOCUMENT_START_EVENT && any)
            rc = fail_at(r, &e.start_mark, "a second document begins");
        else if (e.type == YAML_MAPPING_START_EVENT && !any) {
            any = true;
            rc = write_node(r, &e, 0);
        } else if (e.type == YAML_SCALAR_EVENT || e.type == YAML_SEQUENCE_START_EVENT ||
                   e.type == YAML_ALIAS_EVENT)
            rc = fail_at(r, &e.start_mark, "members are expected, one a line: name: value");
        yaml_event_delete(&e);
        if (rc)
            return rc;
        if (end)
            break;
    }
    if (!any) {
        bx_jw_obj(&r->w);
        bx_jw_end(&r->w);
    }
    return 0;
}

int bx_yaml_parse(struct bx_str text, struct bx_doc **ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(JSON_MAX);
    struct reader r = {.err = err};
    if (text.n > BX_YAML_MAX)
        return bx_fail(err, BX_ERR_LIMIT, "it is larger than 64 KiB");
    if (!bx_utf8_valid(text))
        return bx_fail(err, BX_ERR_PROTO, "it is not UTF-8");
    if (!yaml_parser_initialize(&r.parser))
        return bx_fail(err, BX_ERR_INTERNAL, "the YAML parser does not start");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    bx_jw_init(&r.w, &json);
    int rc = write_stream(&r);
    yaml_parser_delete(&r.parser);
    if (rc)
        return rc;
    return bx_doc_parse(bx_buf_str(&json), NULL, ret, err);
}
