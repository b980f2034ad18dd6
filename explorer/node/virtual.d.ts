/** The SIMD build of tfjs, base64. */
declare module 'virtual:wasm' {
  const text: string;
  export default text;
}
/** The worker as a classic script. */
declare module 'virtual:worker' {
  const text: string;
  export default text;
}
