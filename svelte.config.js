/** Runes everywhere; types are erased by the compiler itself. */
export default {
  compilerOptions: { runes: true },
};
