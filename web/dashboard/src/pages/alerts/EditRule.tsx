import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { Empty, Failed, Loading } from '../../ui/states';
import { MESSAGES } from './messages';
import { RuleForm } from './RuleForm';
import { useRule } from './useRule';

export default function EditRule() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const { rule, error, again } = useRule();
  return (
    <>
      <p>
        <Link href={`/w/${slug}/alerts`}>{t.title}</Link>
        {rule && (
          <>
            {' / '}
            <Link href={`/w/${slug}/alerts/rules/${rule.id}`}>{rule.name}</Link>
          </>
        )}
      </p>
      <Title>{rule ? t.changeTitle(rule.name) : t.rule}</Title>
      {rule ? (
        <RuleForm key={rule.id} rule={rule} />
      ) : rule === null ? (
        <Empty icon="bell" title={t.noSuchRule} />
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={12} />
      )}
    </>
  );
}
