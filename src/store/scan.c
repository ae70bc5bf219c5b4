#include "store/scan.h"

#include "base/clock.h"
#include "base/id.h"
#include "store/lines.h"

/* A seq may jump over damaged lines and over lines that somebody deleted by hand, but a wild number
 * must not make us allocate for the events that it claims: each lost event had at least one byte, a
 * deleted line is a rare thing. */
#define DELETED_LINES_MAX 4096

void bx_scan_deinit(struct bx_scan *s) {
    bx_doc_free(s->header);
    bx_facts_deinit(&s->facts);
    bx_vec_free(&s->offsets);
}

static bool take_header(struct bx_scan *s, struct bx_str line) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(line, NULL, &doc, NULL) < 0)
        return false;
    const struct bx_val *root = bx_doc_root(doc);
    if (bx_val_get_int(root, "v", 0) < 1 || !bx_id_is_valid(bx_val_get_str(root, "id")))
        return false;
    bx_facts_header(&s->facts, root);
    s->header = bx_steal(&doc);
    return true;
}

static bool take_event(struct bx_scan *s, bool with_offsets, const struct bx_line *line,
                       uint64_t damaged_bytes) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = BX_EVENT_MAX_BYTES};
    if (line->too_long || bx_doc_parse(line->text, &limits, &doc, NULL) < 0)
        return false;
    const struct bx_val *root = bx_doc_root(doc);
    int64_t seq = bx_val_get_int(root, "seq", 0);
    struct bx_str type = bx_val_get_str(root, "type");
    if (seq < 1 || !type.n || (uint64_t)seq <= s->last_seq ||
        (uint64_t)seq - s->last_seq - 1 > damaged_bytes + DELETED_LINES_MAX)
        return false;
    if (with_offsets) {
        for (uint64_t lost = s->last_seq + 1; lost < (uint64_t)seq; lost++)
            bx_vec_push(&s->offsets, BX_NO_EVENT);
        bx_vec_push(&s->offsets, line->offset);
    }
    s->last_seq = (uint64_t)seq;
    int64_t t = 0;
    bx_time_parse(bx_val_get_str(root, "t"), &t);
    bx_facts_event(&s->facts, type, (uint64_t)seq, t, root);
    return true;
}

int bx_scan_fd(int fd, bool with_offsets, struct bx_scan *ret, struct bx_err *err) {
    struct bx_scan s = {0};
    struct bx_lines lines;
    struct bx_line line;
    uint64_t damaged_bytes = 0;
    int rc;
    bx_lines_init(&lines, fd, BX_EVENT_MAX_BYTES);
    for (bool first = true; (rc = bx_lines_next(&lines, &line, err)) > 0; first = false) {
        bool good = first ? !line.too_long && take_header(&s, line.text)
                          : take_event(&s, with_offsets, &line, damaged_bytes);
        s.end = lines.offset + lines.at;
        damaged_bytes = good ? 0 : damaged_bytes + (s.end - line.offset);
        if (!good)
            s.damaged_lines++;
    }
    bx_lines_deinit(&lines);
    if (rc < 0) {
        bx_scan_deinit(&s);
        return rc;
    }
    *ret = s;
    return 0;
}

int bx_scan_header(int fd, struct bx_scan *ret) {
    struct bx_lines lines;
    struct bx_line line;
    bx_lines_init(&lines, fd, BX_MIB);
    *ret = (struct bx_scan){0};
    bool good =
        bx_lines_next(&lines, &line, NULL) > 0 && !line.too_long && take_header(ret, line.text);
    bx_lines_deinit(&lines);
    return good ? 0 : BX_ERR_DAMAGED;
}
