// What goes on beside the editors: asking who the caller is, and filling in what nobody can know beforehand.
import { useEditorContext } from '@graphiql/react';
import { useEffect } from 'react';

import { lastThirtyDays } from './examples';
import { keepIdentified, useCaller } from './session';
import { authorizationOf, type Headers } from './transport';

/** What has been filled in before, by variable; such a value may be replaced, a person's own may not. */
const FILLED = 'earful:filled';
const dates = lastThirtyDays(new Date());

/** Each tab has headers of its own; whoever is asking through them is identified when the typing stops. */
export function KeepIdentified(): null {
  const { tabs, activeTabIndex } = useEditorContext({ nonNull: true });
  const headers = tabs[activeTabIndex]?.headers ?? null;
  useEffect(() => {
    const timer = setTimeout(() => void keepIdentified(authorizationOf(parseObject(headers) as Headers)), 300);
    return () => clearTimeout(timer);
  }, [activeTabIndex, headers]);
  return null;
}

export function Placeholders(): null {
  const { variableEditor, tabs, activeTabIndex, updateActiveTabValues } = useEditorContext({ nonNull: true });
  const workspaceId = useCaller()?.workspaceId;
  const tab = tabs[activeTabIndex]?.id;
  useEffect(() => {
    const before = variableEditor?.getValue() ?? '';
    const after = fill(before, { ...dates, workspaceId: workspaceId ?? undefined });
    if (variableEditor && after !== before) {
      variableEditor.setValue(after);
      updateActiveTabValues({ variables: after });
    }
  }, [variableEditor, tab, workspaceId]);
  return null;
}

function fill(json: string, values: Record<string, string | undefined>): string {
  const variables = parseObject(json);
  const filled = parseObject(window.localStorage.getItem(FILLED)) as Record<string, string[]>;
  let changed = false;
  for (const [name, value] of Object.entries(values)) {
    const known = filled[name] ?? [];
    const old = variables[name];
    if (!value || typeof old !== 'string') {
      continue;
    }
    if (old !== value && (old === '' || known.includes(old))) {
      variables[name] = value;
      changed = true;
    }
    if (variables[name] === value && !known.includes(value)) {
      filled[name] = [...known.slice(-50), value];
    }
  }
  window.localStorage.setItem(FILLED, JSON.stringify(filled));
  return changed ? JSON.stringify(variables, null, 2) : json;
}

function parseObject(json: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
