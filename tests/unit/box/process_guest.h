/* The guest tests/attack/guests/process.c inside this program, and the commands that it is: for programs that run guests
 * which start others. PROCESS_GUEST is where the build put its two forms. */
#ifndef BX_TESTS_BOX_PROCESS_GUEST_H
#define BX_TESTS_BOX_PROCESS_GUEST_H

#include "box/embedded.h"

#define INCLUDE_BYTES(label, file)                                                                                     \
    __asm__(".section .rodata\n.balign 4096\n" #label ":\n.incbin \"" file "\"\n" #label "_end:\n.byte 0\n.text\n");   \
    extern const unsigned char label[] __attribute__((visibility("hidden")));                                          \
    extern const unsigned char label##_end[] __attribute__((visibility("hidden")))

INCLUDE_BYTES(process_image, PROCESS_GUEST ".cwasm");
INCLUDE_BYTES(process_fuel_image, PROCESS_GUEST ".fuel.cwasm");

const struct bx_embedded_image bx_embedded_images[] = {
    {"process", false, false, "0000", process_image, process_image_end},
    {"process", true, false, "0000", process_fuel_image, process_fuel_image_end},
    {NULL, false, false, NULL, NULL, NULL},
};
const struct bx_embedded_program bx_embedded_programs[] = {
    {"emit", "process"},  {"pass", "process"}, {"total", "process"}, {"head", "process"}, {"yes", "process"},
    {"sleep", "process"}, {"spin", "process"}, {"grow", "process"},  {"trap", "process"}, {"deep", "process"},
    {"env", "process"},   {"exit", "process"}, {"open", "process"},  {"bomb", "process"}, {"none", "no-such-image"},
    {"process", "process"},
    {NULL, NULL},
};

#endif
