/* json/schema.h: does a tool's input fit its schema?
 *
 * Any thread, pure. The part of JSON Schema 2020-12 that tool schemas use: type (also a list), properties, required,
 * additionalProperties (false or schema), items, prefixItems, enum, const, minimum, maximum, exclusive*, multipleOf,
 * minLength, maxLength, minItems, maxItems, uniqueItems, anyOf, oneOf, allOf, not, $ref to "#/$defs/…" and "#/definitions/…"
 * (depth-limited). Unknown keywords are ignored, as the standard says.
 *
 * The message is written for a model to mend its call: it names the member by its path, what was expected and what came,
 * and for an unknown member the nearest known name. */
#ifndef BX_JSON_SCHEMA_H
#define BX_JSON_SCHEMA_H

#include "json/json.h"

/* 0, or BX_ERR_INVALID with the first problem. */
int bx_schema_check(const struct bx_val *schema, const struct bx_val *input, struct bx_err *err);
/* Is the schema itself usable (an object schema with sane keyword types)? For descriptors at load. */
int bx_schema_validate(const struct bx_val *schema, struct bx_err *err);

#endif
