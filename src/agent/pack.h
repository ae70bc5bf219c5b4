/* agent/pack.h: context packs: texts, files, messages and skills under a name, told to the sessions that they are attached to.
 *
 * Any thread. A pack is <state>/packs/NAME.json: {"description","items":[{"kind":"text","text"} | {"kind":"file","path"} |
 * {"kind":"message","session","seq"} | {"kind":"skill","name"}]}. Files and messages are looked at when the context is made, so it
 * has them as they are then; what is not there is said in the text and is no error. A pack holds no pack, so there are no
 * circles. */
#ifndef BX_AGENT_PACK_H
#define BX_AGENT_PACK_H

#include "json/write.h"
#include "store/session.h"
#include "tools/registry.h"

#define BX_PACK_ITEMS_MAX 64
#define BX_PACK_JSON_MAX  (1 * BX_MIB)
#define BX_PACK_TEXT_MAX  (128 * BX_KIB) /* of a whole pack, as it is told */

struct bx_pack_place { /* what a pack may draw on */
    const char *state_dir, *root;
    struct bx_store *store;
    struct bx_registry *registry; /* NULL: skills are passed over */
};

/* Letters, digits, ".", "_" and "-", at most 64, not a dot in front. */
bool bx_pack_name_ok(struct bx_str name);
/* Checks, then writes. BX_ERR_INVALID names the item and what is wrong with it. */
int bx_pack_put(const char *state_dir, const char *name, const struct bx_val *pack, struct bx_err *err);
/* BX_ERR_NOTFOUND names what there is; BX_ERR_DAMAGED: the file was changed by hand and is no pack any more. */
int bx_pack_get(const char *state_dir, const char *name, struct bx_doc **ret, struct bx_err *err);
int bx_pack_remove(const char *state_dir, const char *name, struct bx_err *err);
/* As it is told, at most max_bytes. Never fails: ret_problem is the first thing that is missing (the caller's), or NULL. */
char *bx_pack_text(const struct bx_pack_place *place, const char *name, size_t max_bytes, char **ret_problem);
/* Rows of GET /packs as items of the open array. */
void bx_pack_list(const struct bx_pack_place *place, struct bx_jw *w);

#endif
