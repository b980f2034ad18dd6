import { logLines } from './log-text.js';

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
  for (const line of logLines(text)) {
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

/** What an error of the session means. Source: AEEStdErr.h of the Hexagon SDK, and llama.cpp's issues 16911, 18932, 22204. */
const ADVICE: readonly { readonly said: RegExp; readonly next: string }[] = [
  {
    said: /error 0x80000406/,
    next: 'The DSP cannot load libggml-htp-vNN.so (AEE_EUNABLETOLOAD): it has to be built for this NPU and lie in the folder that ADSP_LIBRARY_PATH names; run it as the shell user, not as root; on Windows it has to be signed',
  },
  {
    said: /error 0x(14|72|80000414)\b/,
    next: "The DSP's driver does not know what this llama.cpp asks for: update the system of the device, or take an older llama.cpp",
  },
  {
    said: /error 0x/,
    next: 'Look the number up in AEEStdErr.h of the Hexagon SDK; `device doctor` says whether the NPU can be reached',
  },
];

/** The first refusal of the backend or the DSP and what to do about it; null when nothing was refused. */
export function refusalOf({
  failures,
}: Pick<SessionLog, 'failures'>): { readonly said: string; readonly next: string | null } | null {
  const said = failures.find((line) => /error 0x/.test(line)) ?? failures[0];
  return said === undefined ? null : { said, next: ADVICE.find((it) => it.said.test(said))?.next ?? null };
}
