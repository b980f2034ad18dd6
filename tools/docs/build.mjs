// The API reference from the comments in the code: writes docs/api; with --check it only says what is not documented.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Comment, Converter, ReflectionKind, TSConfigReader, TypeDocReader } from 'typedoc';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const check = process.argv.includes('--check');
const app = await Application.bootstrap({ options: join(here, 'typedoc.json') }, [
  new TypeDocReader(),
  new TSConfigReader(),
]);

// A field of a schema is documented where it is declared, by `.describe('...')`; types inferred from it carry no comment.
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
  const declaration = context.getSymbolFromReflection(reflection)?.declarations?.[0];
  if (declaration === undefined) return;
  if (ts.isPropertyAssignment(declaration)) {
    inferred.add(reflection);
    say(reflection, description(declaration.initializer));
  }
  // `type State = (typeof STATES)[number]`: the comment stands at the value.
  const value = ts.isTypeAliasDeclaration(declaration) && queried(declaration.type);
  if (!value) return;
  const symbol = context.checker.getSymbolAtLocation(value);
  say(reflection, ts.displayPartsToString(symbol?.getDocumentationComment(context.checker)));
});
const inferred = new Set();

function say(reflection, text) {
  if (text && !reflection.hasComment()) reflection.comment = new Comment([{ kind: 'text', text }]);
}

/** The value that a type is made of. */
function queried(type) {
  return ts.isTypeQueryNode(type) ? type.exprName : ts.forEachChild(type, queried);
}

/** The text of the last `.describe()` in a chain of calls. */
function description(node) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const [argument] = node.arguments;
  if (node.expression.name.text === 'describe' && argument && ts.isStringLiteralLike(argument)) return argument.text;
  return description(node.expression.expression);
}

const DOCUMENTED =
  ReflectionKind.SomeModule |
  ReflectionKind.Variable |
  ReflectionKind.Function |
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Property |
  ReflectionKind.Method |
  ReflectionKind.Accessor;

/** Whether the reflection stands inside a type that is written in place: its owner says what it is. */
function inPlace(reflection) {
  for (let at = reflection.parent; at; at = at.parent) if (at.kindOf(ReflectionKind.TypeLiteral)) return true;
  return false;
}

const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
const silent = project
  .getReflectionsByKind(DOCUMENTED)
  .filter((reflection) => !inferred.has(reflection) && !inPlace(reflection))
  .filter(({ comment, signatures }) => !(comment ?? signatures?.some((signature) => signature.comment)));
for (const reflection of silent) app.logger.error(`${reflection.getFullName()} has no documentation`);
if (!check) await app.generateOutputs(project);
process.exit(app.logger.hasErrors() || app.logger.hasWarnings() ? 1 : 0);
