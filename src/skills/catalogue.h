/* skills/catalogue.h: the list of skills that a model is told, and which of them a message or a touched file proposes. Pure,
 * any thread.
 *
 * Of an untrusted skill only the name is told: its description is text of a stranger. Only letters of names, descriptions
 * and uses are in the list, in one order, so that a prefix cache holds while no skill changes. */
#ifndef BX_SKILLS_CATALOGUE_H
#define BX_SKILLS_CATALOGUE_H

#include "skills/skills.h"

#define BX_CATALOGUE_MAX      (16 * BX_KIB)
#define BX_CATALOGUE_LINE_MAX 400

/* Nothing when there is no skill. What does not fit into BX_CATALOGUE_MAX is counted. */
void bx_skills_catalogue(const struct bx_skills *s, struct bx_buf *out);
/* The line of one, without its name; untrusted ones and cut texts as in the catalogue. */
void bx_skill_catalogue_line(const struct bx_skill *s, struct bx_buf *out);

/* Does one of its triggers fit? message: what the user wrote. paths: guest paths, normal. Only of usable, trusted skills. */
bool bx_skill_triggered_by_text(const struct bx_skill *s, struct bx_str message);
bool bx_skill_triggered_by_path(const struct bx_skill *s, const char *path);

#endif
