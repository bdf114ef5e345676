/* SPDX-License-Identifier: MIT */
/*
 * Putting a PE image into memory.
 *
 * The mapping is anonymous memory with the file's bytes copied in: a driver's
 * file may be replaced while it runs. It belongs to whoever asked for it, and
 * nobody else knows of it until the module is listed, so nothing is locked here.
 * Linux chooses the address, which lies above the user/kernel line, and so every
 * image is relocated.
 */
#include "ldr/image.h"
#include "memory.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* What compilers put there to mark a cookie that nobody has set yet: the entry
 * stub of a driver refuses to run with it. */
#define DEFAULT_COOKIE 0x00002B992DDFA232ull

struct relocation {
	uint8_t *image;
	uint64_t delta;
};

static void relocate_16(uint8_t *at, uint32_t addend, bool high)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	value = high ? (uint16_t)((((uint32_t)value << 16) + addend) >> 16)
		     : (uint16_t)(value + addend);
	memcpy(at, &value, sizeof(value));
}

static void relocate_one(void *context, uint32_t rva, enum pe_relocation_type type)
{
	const struct relocation *r = context;
	uint8_t *at = r->image + rva;
	uint64_t value64;
	uint32_t value32;
	switch (type) {
	case PE_RELOCATION_DIR64:
		memcpy(&value64, at, sizeof(value64));
		value64 += r->delta;
		memcpy(at, &value64, sizeof(value64));
		break;
	case PE_RELOCATION_HIGHLOW:
		memcpy(&value32, at, sizeof(value32));
		value32 += (uint32_t)r->delta;
		memcpy(at, &value32, sizeof(value32));
		break;
	case PE_RELOCATION_HIGH:
		relocate_16(at, (uint32_t)r->delta, true);
		break;
	case PE_RELOCATION_LOW:
		relocate_16(at, (uint32_t)r->delta, false);
		break;
	case PE_RELOCATION_ABSOLUTE:
		break;
	}
}

bool ldr_relocate_image(const struct pe *pe, void *base, struct pe_error *error)
{
	struct relocation r = {base, (uint64_t)base - pe->image_base};
	if (pe->characteristics & PE_FILE_RELOCS_STRIPPED)
		return pe_fail(error,
			       pe->nt_offset + offsetof(struct pe_nt_headers, file.characteristics),
			       "relocations are stripped, but the image has to move from 0x%llx",
			       (unsigned long long)pe->image_base);
	if (!pe_visit_relocations(pe, base, relocate_one, &r, error))
		return false;
	/* NT leaves the real address in the mapped headers. */
	memcpy((char *)base + pe->nt_offset + offsetof(struct pe_nt_headers, optional.image_base),
	       &base, sizeof(base));
	return true;
}

static uint64_t random_cookie(const void *salt)
{
	uint64_t cookie = 0;
	/* Short only when a signal interrupts or the system has just started. */
	while (getrandom(&cookie, sizeof(cookie), 0) != (ssize_t)sizeof(cookie) && errno == EINTR)
		;
	/* The upper 16 bits are zero, so that no string copy can bring the cookie along. */
	cookie = (cookie ^ (uintptr_t)salt) & 0xFFFFFFFFFFFFull;
	return cookie == 0 || cookie == DEFAULT_COOKIE ? DEFAULT_COOKIE + 1 : cookie;
}

bool ldr_map_image(const void *file, size_t size, struct pe *pe, void **base,
		   struct pe_error *error)
{
	uint32_t cookie_rva;
	if (!pe_parse(file, size, pe, error))
		return false;
	void *image = host_map(pe->image_size);
	if (!image)
		return pe_fail(error, 0, "no memory for an image of 0x%x bytes", pe->image_size);
	pe_lay_out(pe, file, image);
	if (!pe_check(pe, image, error) || !pe_find_cookie(pe, image, &cookie_rva, error) ||
	    !ldr_relocate_image(pe, image, error)) {
		host_unmap(image, pe->image_size);
		return false;
	}
	if (cookie_rva) {
		uint64_t cookie = random_cookie(image);
		memcpy((char *)image + cookie_rva, &cookie, sizeof(cookie));
	}
	*base = image;
	return true;
}

static unsigned protection_of(const struct pe_section *section)
{
	unsigned protection = HOST_READ;
	if (section->characteristics & PE_SECTION_WRITE)
		protection |= HOST_WRITE;
	if (section->characteristics & PE_SECTION_EXECUTE)
		protection |= HOST_EXECUTE;
	return protection;
}

int ldr_protect_image(const struct pe *pe, void *base)
{
	/* Sections that share pages cannot be told apart; NT then allows everything. */
	if (pe->section_alignment < PE_PAGE)
		return host_protect(base, pe->image_size, HOST_READ | HOST_WRITE | HOST_EXECUTE);
	/* Headers, and what lies between sections and behind them: a damaged table may be
	 * there, and is still read after this. */
	int error = host_protect(base, pe->image_size, HOST_READ);
	for (unsigned i = 0; i < pe->section_count && !error; i++) {
		const struct pe_section *s = &pe->section[i];
		error = host_protect((char *)base + s->rva, s->virtual_size, protection_of(s));
	}
	return error;
}
