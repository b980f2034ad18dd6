/** What the backend says about itself when it starts. */
export interface HexagonSession {
  /** E.g. `HTP0`. */
  readonly name: string;
  /** Library on the DSP, e.g. `libggml-htp-v79.so`. */
  readonly library: string | null;
}

export interface SessionLog {
  /** Architecture the backend found, e.g. `v79`. */
  readonly htpArch: string | null;
  /** Sessions that were opened on the DSP: the proof that something runs there. */
  readonly sessions: readonly HexagonSession[];
  /** Layers that went to the device, of how many; null when the log does not tell. */
  readonly offloaded: { readonly layers: number; readonly of: number } | null;
  /** Lines with which the backend or the DSP refused. */
  readonly failures: readonly string[];
}

/** `ggml-hex: new session: HTP0 : session-id ...` (to mid 2026), `ggml-hex: HTP0 new session : session-id ...` (since). */
const SESSION =
  /ggml-hex: (?:new session: (\S+)|(\S+) new session) : session-id .*? uri (\S+) handle 0x[0-9a-f]+/;

/** Reads what a log of llama.cpp says about the Hexagon backend. */
export function parseSessionLog(text: string): SessionLog {
  const sessions: HexagonSession[] = [];
  const failures: string[] = [];
  let htpArch: string | null = null;
  let offloaded: SessionLog['offloaded'] = null;
  for (const line of text.split(/\r?\n/)) {
    const session = SESSION.exec(line);
    if (session !== null) {
      const library = /(lib[\w.-]+\.so)/.exec(session[3] ?? '')?.[1] ?? null;
      sessions.push({ name: session[1] ?? session[2] ?? '', library });
    }
    htpArch = /ggml-hex: Hexagon Arch version (v\d+)/.exec(line)?.[1] ?? htpArch;
    const layers = /offloaded (\d+)\/(\d+) layers to GPU/.exec(line);
    if (layers !== null) offloaded = { layers: Number(layers[1]), of: Number(layers[2]) };
    if (/ggml-hex: .*(failed|error 0x|unable|not supported)/i.test(line)) failures.push(line.trim());
  }
  return { htpArch, sessions, offloaded, failures };
}
