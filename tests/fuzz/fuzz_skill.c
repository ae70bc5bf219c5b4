/* The front matter of a SKILL.md: whatever the bytes, there is a name, and either a problem or a
 * description that fits. */
#include "fuzz/fuzz.h"
#include "json/write.h"
#include "skills/args.h"
#include "skills/check.h"
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
    /* Its parameters, called with its own bytes: refused in words, or a value that fits each. */
    struct bx_skill_args args;
    struct bx_err err = {0};
    if (size < 100000 && bx_skill_args_read(&f.meta, text, NULL, NULL, &args, &err) == 0) {
        for (size_t i = 0; i < args.count; i++) {
            char *again =
                args.values[i] ? bx_param_value(&f.meta.params.p[i], bx_str(args.values[i])) : NULL;
            must(!args.values[i] || (again && strcmp(again, args.values[i]) == 0));
            must(args.values[i] || !f.meta.params.p[i].required);
            bx_free(again);
        }
        bx_skill_args_deinit(&args);
    } else {
        must(size >= 100000 || err.msg[0]);
    }
    bx_front_deinit(&f);
    struct bx_skill_check check;
    bx_skill_check(text, "folder", NULL, &check);
    bx_skill_check_deinit(&check);
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
