/* SPDX-License-Identifier: MIT */
/* A bug check, as a person reads it. */
#ifndef RINGSIDE_KE_REPORT_H
#define RINGSIDE_KE_REPORT_H

#include <ringside/event.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the event (RS_BUG_CHECK) as several lines of text, each with its newline; what
 * does not fit is cut. Returns the length. Allocates nothing. Only while the event is
 * told: it looks into the modules. */
size_t ke_format_bug_check(char *text, size_t size, const struct rs_event *event);

/* The same, onto a stream. */
void ke_report_bug_check(FILE *stream, const struct rs_event *event);

/* The lines of a stack alone, while its driver waits; otherwise like ke_format_bug_check. */
size_t ke_format_stack(char *text, size_t size, const struct rs_stack *stack);

#endif
