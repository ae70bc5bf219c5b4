/* skills/yaml.h: a small YAML text (a front matter) as JSON.
 *
 * Any thread, pure. Only this room knows libyaml. One document; mappings with scalar keys, sequences, scalars. Plain true,
 * false, null and whole numbers become what they are, every other scalar a string. Refused, each in words: aliases and anchors
 * (small texts that become huge), tags, keys that come twice, more than 16 levels. The text is at most 64 KiB. */
#ifndef BX_SKILLS_YAML_H
#define BX_SKILLS_YAML_H

#include "json/json.h"

#define BX_YAML_MAX (64 * BX_KIB)

/* BX_ERR_PROTO with the line, BX_ERR_LIMIT. An empty text is an empty object. */
int bx_yaml_parse(struct bx_str text, struct bx_doc **ret, struct bx_err *err);

#endif
