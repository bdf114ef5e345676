/* SPDX-License-Identifier: MIT */
/*
 * Executable sections are disassembled from their beginning to their end, which for x86
 * falls back into step within a few instructions after data between functions, and starts
 * afresh at each function that the exception directory knows. Twice: first for
 * instructions whose operand is a slot, then for those that name a `jmp [slot]` of the
 * first round, since linkers make such stubs for code that was compiled without
 * dllimport. A jump that nothing names is a tail call of its own, or a stub that a linker
 * put there for nobody, if no function contains it and the import is used elsewhere. Last
 * come relocations: pointers in data to a slot or to a stub. Nothing is kept between calls.
 */
#include "ldr/reference.h"
#include "memory.h"
#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

/* A damaged image can be all calls. */
#define MOST_REFERENCES (1u << 16)

struct jump {
	uint32_t rva, slot;
	bool named;
};

struct search {
	const struct pe *pe;
	const uint8_t *image;
	const uint32_t *slot;
	size_t slots;
	struct ldr_references *found;
	size_t room;
	struct jump *jump; /* ascending, since code is read so */
	size_t jumps, jump_room;
	bool no_memory;
};

/* ---- Growing lists -------------------------------------------------------------------------- */

/* The list with room for one element more, or NULL. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	size_t larger = *room ? *room * 2 : 64;
	void *copy = count < MOST_REFERENCES ? host_alloc(larger * size) : NULL;
	if (!copy)
		return NULL;
	if (count)
		memcpy(copy, list, count * size);
	host_free(list);
	*room = larger;
	return copy;
}

static void add(struct search *s, uint32_t slot, uint32_t from, enum ldr_use use)
{
	void *list = grow(s->found->at, s->found->count, &s->room, sizeof(*s->found->at));
	if (!list) {
		s->no_memory = true;
		return;
	}
	s->found->at = list;
	s->found->at[s->found->count++] = (struct ldr_reference){slot, from, use};
}

static void add_jump(struct search *s, uint32_t rva, uint32_t slot)
{
	void *list = grow(s->jump, s->jumps, &s->jump_room, sizeof(*s->jump));
	if (!list) {
		s->no_memory = true;
		return;
	}
	s->jump = list;
	s->jump[s->jumps++] = (struct jump){rva, slot, false};
}

/* ---- Code ----------------------------------------------------------------------------------- */

struct code {
	uint32_t rva;
	ZydisInstructionCategory category;
	bool has_operand, has_target;
	uint64_t operand; /* RVA of memory that is addressed relative to it */
	uint64_t target;  /* RVA of a branch */
};

typedef void code_visitor(struct search *s, const struct code *code);

static void look_at(struct search *s, code_visitor *visit, uint32_t rva,
		    const ZydisDecodedInstruction *decoded)
{
	uint64_t behind = rva + (uint64_t)decoded->length;
	struct code code = {.rva = rva, .category = decoded->meta.category};
	code.has_operand = decoded->attributes & ZYDIS_ATTRIB_HAS_MODRM &&
			   decoded->raw.modrm.mod == 0 && decoded->raw.modrm.rm == 5;
	code.has_target = decoded->raw.imm[0].is_relative;
	code.operand = behind + (uint64_t)decoded->raw.disp.value;
	code.target = behind + decoded->raw.imm[0].value.u;
	if (code.has_operand || code.has_target)
		visit(s, &code);
}

/* Where the first function behind `rva` begins; `row` is how far the table has been read. */
static uint32_t next_function(const struct search *s, uint32_t rva, uint32_t *row)
{
	struct pe_directory table = s->pe->directory[PE_EXCEPTIONS];
	struct pe_runtime_function function;
	for (; table.rva && (*row + 1) * sizeof(function) <= table.size; ++*row) {
		memcpy(&function, s->image + table.rva + *row * sizeof(function), sizeof(function));
		if (function.begin > rva)
			return function.begin;
	}
	return UINT32_MAX;
}

static void read_section(struct search *s, const ZydisDecoder *decoder,
			 const struct pe_section *section, code_visitor *visit)
{
	uint32_t end = section->rva + section->virtual_size, row = 0;
	for (uint32_t rva = section->rva; rva < end;) {
		ZydisDecodedInstruction decoded;
		uint32_t limit = next_function(s, rva, &row);
		if (limit > end)
			limit = end;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, s->image + rva,
								limit - rva, &decoded))) {
			rva++;
			continue;
		}
		look_at(s, visit, rva, &decoded);
		rva += decoded.length;
	}
}

static void read_code(struct search *s, code_visitor *visit)
{
	ZydisDecoder decoder;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (unsigned i = 0; i < s->pe->section_count; i++) {
		if (s->pe->section[i].characteristics & PE_SECTION_EXECUTE)
			read_section(s, &decoder, &s->pe->section[i], visit);
	}
}

static int compare_rva(const void *key, const void *element)
{
	uint64_t rva = *(const uint64_t *)key;
	uint32_t other = *(const uint32_t *)element; /* of a jump: its first member */
	return rva < other ? -1 : rva > other;
}

static const uint32_t *find_slot(const struct search *s, uint64_t rva)
{
	return bsearch(&rva, s->slot, s->slots, sizeof(*s->slot), compare_rva);
}

static struct jump *find_jump(const struct search *s, uint64_t rva)
{
	return s->jumps ? bsearch(&rva, s->jump, s->jumps, sizeof(*s->jump), compare_rva) : NULL;
}

static void find_uses_of_slots(struct search *s, const struct code *code)
{
	const uint32_t *slot = code->has_operand ? find_slot(s, code->operand) : NULL;
	if (!slot)
		return;
	if (code->category == ZYDIS_CATEGORY_UNCOND_BR)
		add_jump(s, code->rva, *slot);
	else
		add(s, *slot, code->rva,
		    code->category == ZYDIS_CATEGORY_CALL ? LDR_CALLED : LDR_LOADED);
}

static void find_uses_of_jumps(struct search *s, const struct code *code)
{
	struct jump *jump = find_jump(s, code->has_target ? code->target : code->operand);
	if (!jump)
		return;
	jump->named = true;
	add(s, jump->slot, code->rva,
	    !code->has_target                       ? LDR_LOADED
	    : code->category == ZYDIS_CATEGORY_CALL ? LDR_CALLED
						    : LDR_JUMPED);
}

/* ---- Data ----------------------------------------------------------------------------------- */

static void find_pointer(void *context, uint32_t rva, enum pe_relocation_type type)
{
	struct search *s = context;
	uint64_t value;
	if (type != PE_RELOCATION_DIR64)
		return;
	memcpy(&value, s->image + rva, sizeof(value));
	value -= (uintptr_t)s->image;
	const uint32_t *slot = find_slot(s, value);
	struct jump *jump = slot ? NULL : find_jump(s, value);
	if (slot)
		add(s, *slot, rva, LDR_STORED);
	if (!jump)
		return;
	jump->named = true;
	add(s, jump->slot, rva, LDR_STORED);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static bool is_in_function(const struct search *s, uint32_t rva)
{
	struct pe_directory table = s->pe->directory[PE_EXCEPTIONS];
	struct pe_runtime_function function;
	for (uint32_t i = 0; table.rva && (i + 1) * sizeof(function) <= table.size; i++) {
		memcpy(&function, s->image + table.rva + i * sizeof(function), sizeof(function));
		if (rva >= function.begin && rva < function.end)
			return true;
	}
	return false;
}

static bool is_used(const struct search *s, uint32_t slot, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (s->found->at[i].slot == slot)
			return true;
	}
	return false;
}

static void add_tail_calls(struct search *s)
{
	size_t others = s->found->count;
	for (size_t i = 0; i < s->jumps; i++) {
		if (!s->jump[i].named &&
		    (is_in_function(s, s->jump[i].rva) || !is_used(s, s->jump[i].slot, others)))
			add(s, s->jump[i].slot, s->jump[i].rva, LDR_JUMPED);
	}
}

static int compare_references(const void *a, const void *b)
{
	const struct ldr_reference *x = a, *y = b;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

bool ldr_find_references(const struct pe *pe, const void *image, const uint32_t *slot, size_t count,
			 struct ldr_references *found)
{
	struct search s = {.pe = pe, .image = image, .slot = slot, .slots = count, .found = found};
	struct pe_error ignored = {0};
	*found = (struct ldr_references){0};
	if (count == 0)
		return true;
	read_code(&s, find_uses_of_slots);
	read_code(&s, find_uses_of_jumps);
	pe_visit_relocations(pe, image, find_pointer, &s, &ignored);
	add_tail_calls(&s);
	host_free(s.jump);
	if (s.no_memory) {
		host_free(found->at);
		*found = (struct ldr_references){0};
		return false;
	}
	if (found->count)
		qsort(found->at, found->count, sizeof(*found->at), compare_references);
	return true;
}
