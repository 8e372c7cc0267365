/*
 * SHA-256 (FIPS 180-4) of two recordings at once, with the processor's own instructions.
 *
 * Each round of SHA-256 waits for the one before it, so a processor that has the
 * instructions is idle for half of the time. Two recordings in turn, round by round, take
 * little more time than one. Only whole blocks of 64 bytes are taken; padding is added by
 * who calls (sha256_pair.py), who also holds the result against another implementation
 * before the first recording is trusted to it.
 *
 * A state is the eight words a to h in the order of the standard. The instructions want them
 * as (a b e f) and (c d g h): Intel 64 and IA-32 Architectures Software Developer's Manual,
 * SHA256RNDS2.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK 64
#define WITH_SHA __attribute__((target("sha,sse4.1")))
#define INLINE static inline __attribute__((always_inline))

static const uint32_t CONSTANTS[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* One recording under way: its state, and the block in work. */
struct lane {
	__m128i abef, cdgh;
	__m128i words[4];
};

WITH_SHA INLINE void take_up(struct lane *lane, const uint32_t state[8])
{
	__m128i abcd = _mm_loadu_si128((const __m128i *)state);
	__m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));
	__m128i cdab = _mm_shuffle_epi32(abcd, 0xB1);
	__m128i hgfe = _mm_shuffle_epi32(efgh, 0x1B);

	lane->abef = _mm_alignr_epi8(cdab, hgfe, 8);
	lane->cdgh = _mm_blend_epi16(hgfe, cdab, 0xF0);
}

WITH_SHA INLINE void put_down(const struct lane *lane, uint32_t state[8])
{
	__m128i feba = _mm_shuffle_epi32(lane->abef, 0x1B);
	__m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xB1);

	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

WITH_SHA INLINE void load_block(struct lane *lane, const uint8_t *block)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	for (int i = 0; i < 4; i++) {
		__m128i words = _mm_loadu_si128((const __m128i *)(block + 16 * i));
		lane->words[i] = _mm_shuffle_epi8(words, big_endian);
	}
}

/* Rounds 4 * step to 4 * step + 3, and the words that are wanted sixteen rounds later. */
WITH_SHA INLINE void four_rounds(struct lane *lane, int step)
{
	__m128i *words = lane->words;
	__m128i constants = _mm_load_si128((const __m128i *)(CONSTANTS + 4 * step));
	__m128i sum = _mm_add_epi32(words[step % 4], constants);

	lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
	lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0E));
	if (step < 12) {
		__m128i last = words[(step + 3) % 4];
		__m128i seventh = _mm_alignr_epi8(last, words[(step + 2) % 4], 4);
		__m128i next = _mm_sha256msg1_epu32(words[step % 4], words[(step + 1) % 4]);

		words[step % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(next, seventh), last);
	}
}

WITH_SHA INLINE void advance(int lanes, uint32_t *states[], const uint8_t *data[], size_t blocks)
{
	struct lane lane[2], before[2];

	for (int i = 0; i < lanes; i++)
		take_up(&lane[i], states[i]);
	for (size_t block = 0; block < blocks; block++) {
		for (int i = 0; i < lanes; i++) {
			before[i] = lane[i];
			load_block(&lane[i], data[i] + BLOCK * block);
		}
#pragma GCC unroll 16
		for (int step = 0; step < 16; step++)
			for (int i = 0; i < lanes; i++)
				four_rounds(&lane[i], step);
		for (int i = 0; i < lanes; i++) {
			lane[i].abef = _mm_add_epi32(lane[i].abef, before[i].abef);
			lane[i].cdgh = _mm_add_epi32(lane[i].cdgh, before[i].cdgh);
		}
	}
	for (int i = 0; i < lanes; i++)
		put_down(&lane[i], states[i]);
}

/* Whether this processor has the instructions: CPUID leaf 1 (SSE4.1) and 7 (SHA). */
int sha256_pair_works_here(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

WITH_SHA void sha256_advance_one(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	advance(1, (uint32_t *[]){state}, (const uint8_t *[]){data}, blocks);
}

WITH_SHA void sha256_advance_two(uint32_t first[8], const uint8_t *data, uint32_t second[8],
				 const uint8_t *other, size_t blocks)
{
	advance(2, (uint32_t *[]){first, second}, (const uint8_t *[]){data, other}, blocks);
}

#else /* another processor: hashlib is used */

int sha256_pair_works_here(void)
{
	return 0;
}

#endif
