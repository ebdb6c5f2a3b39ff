import { renderDrillsMarkdown } from '../report/drills-markdown.ts';
import { drillsPageKind } from './lib/drills-page-kind.ts';

/** One Markdown page for the whole command. */
export const markdown = drillsPageKind('markdown', 'drills.md', renderDrillsMarkdown);
