import { pathToFileURL } from 'node:url';

/** What a command line answered. */
export interface Answered {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A module that runs command lines one after the other in its process, as loading the program takes longer than most of them, and
 * prints what each answered as one line of JSON (`Answered[]`).
 * @param run compiled `cli/run.js`
 */
export function commandLines(run: string, commands: readonly (readonly string[])[]): string {
  return `
    import { main } from ${JSON.stringify(pathToFileURL(run).href)};
    const answers = [];
    for (const argv of ${JSON.stringify(commands)}) {
      const said = { stdout: '', stderr: '' };
      const stream = (name) => ({ isTTY: false, columns: 100, write: (text) => { said[name] += text; } });
      const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: process.env, signal: new AbortController().signal };
      answers.push({ code: await main(argv, io), ...said });
    }
    console.log(JSON.stringify(answers));
  `;
}
