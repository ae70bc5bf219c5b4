/* The front matter of a SKILL.md: whatever the bytes, there is a name, and either a problem or a
 * description that fits. */
#include "fuzz/fuzz.h"
#include "json/write.h"
#include "skills/front.h"
#include "skills/yaml.h"

static void must(bool yes) {
    if (!yes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_str text = bx_str_n((const char *)data, size), yaml;
    struct bx_front f;
    bx_front_parse(text, "folder", &f);
    must(f.name && (f.problem || bx_skill_name_ok(bx_str(f.name))));
    must(f.problem ||
         (f.description && *f.description && strlen(f.description) <= BX_SKILL_DESCRIPTION_MAX));
    if (bx_front_end(text, &yaml))
        must(yaml.p >= text.p && yaml.p + yaml.n <= text.p + text.n);
    bx_front_deinit(&f);
    /* What was read can be written and read again. */
    struct bx_doc *doc = NULL, *again = NULL;
    if (bx_yaml_parse(text, &doc, NULL) == 0) {
        struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
        struct bx_jw w;
        bx_jw_init(&w, &json);
        bx_jw_val(&w, bx_doc_root(doc));
        must(bx_doc_parse(bx_buf_str(&json), NULL, &again, NULL) == 0);
        must(bx_val_equal(bx_doc_root(doc), bx_doc_root(again)));
        bx_doc_free(again);
        bx_buf_deinit(&json);
    }
    bx_doc_free(doc);
    return 0;
}
