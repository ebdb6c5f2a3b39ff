import { renderDrillsMarkdown } from '../report/drills-markdown.ts';
import { drillsPageKind } from './lib/drills-page-kind.ts';

/** One page for the whole command, for what shows Markdown. */
export const markdown = drillsPageKind('markdown', 'drills.md', renderDrillsMarkdown);
