/* skills/meta.h: what a front matter says beyond name and description, of both families.
 *
 * Pure, any thread. The Agent Skills form (license, compatibility, metadata, allowed-tools) and the other one (when_to_use,
 * triggers, tools, parameters or args, uses) may be mixed. Lenient: what does not fit is left out and said in a warning. */
#ifndef BX_SKILLS_META_H
#define BX_SKILLS_META_H

#include "base/vec.h"
#include "json/json.h"

#define BX_SKILL_TRIGGERS_MAX 32
#define BX_SKILL_TOOLS_MAX    64
#define BX_SKILL_PARAMS_MAX   32
#define BX_SKILL_USES_MAX     16

typedef BX_VEC(char *) bx_texts;
void bx_texts_free(bx_texts *t);

enum bx_param_type { BX_PARAM_STRING, BX_PARAM_INTEGER, BX_PARAM_NUMBER, BX_PARAM_BOOLEAN };
const char *bx_param_type_name(enum bx_param_type type); /* "string" … */

struct bx_param {
    char *name; /* [A-Za-z_][A-Za-z0-9_-]{0,63} */
    char *description; /* "" = none */
    char *preset; /* `default`, as text; NULL = none */
    bx_texts choices; /* `enum`; empty = any */
    enum bx_param_type type;
    bool required;
};

struct bx_skill_meta {
    char *license, *compatibility, *when; /* NULL = not said. when: prose, of `when_to_use` */
    bx_texts triggers; /* a keyword of the user's message, or with '*' or '/' a glob over paths */
    bool narrows;      /* `tools` or `allowed-tools` was there */
    bx_texts tools;    /* patterns in our names (tool_names.h) */
    BX_VEC(struct bx_param) params;
    bx_texts uses;     /* names of skills */
};
/* Every warning is added to `warnings`, separated by "; ". members may be NULL. */
void bx_skill_meta_read(const struct bx_val *members, struct bx_skill_meta *ret, struct bx_buf *warnings);
void bx_skill_meta_deinit(struct bx_skill_meta *m);
bool bx_trigger_is_glob(const char *trigger);

/* In the form of its type ("yes" is "true", an enum's member has the letters of the enum), the caller's; NULL when the value
 * does not fit it. */
char *bx_param_value(const struct bx_param *p, struct bx_str value);
/* "city (string; one of a, b; default a)": what is allowed. */
void bx_param_describe(const struct bx_param *p, struct bx_buf *out);

#endif
