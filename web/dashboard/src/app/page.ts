import type { ComponentType } from 'react';
import type { IconName } from '../ui/Icon';
import type { ShellMessages } from './messages';

/** Who sees a page: `workspace` pages have `/w/:slug` before them and a workspace around them. */
type Access = 'everybody' | 'signed-out' | 'signed-in' | 'workspace';

export type Role = 'VIEWER' | 'ANALYST' | 'ADMIN' | 'OWNER';

export interface Navigation {
  group: 'workspace' | 'admin' | 'account';
  /** Its place in the group: small ones first. */
  order: number;
  icon: IconName;
  label: keyof ShellMessages['navigation'];
}

export interface Page {
  path: string;
  access: Access;
  /** Who has less in the workspace is not shown the link, and is told so who comes nevertheless. */
  role?: Role;
  load: () => Promise<{ default: ComponentType }>;
  /** Asks what it will ask first, where it is the first page: `askEarly`, with the slug of the workspace. */
  ahead?: (slug: string) => void;
  /** Only pages with one are listed. */
  navigation?: Navigation;
}

/** What a `route.ts` exports by default, once or in a list. */
export const page = (given: Page): Page => given;
