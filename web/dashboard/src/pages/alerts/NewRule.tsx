import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { MESSAGES } from './messages';
import { RuleForm } from './RuleForm';

export default function NewRule() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  return (
    <>
      <p>
        <Link href={`/w/${slug}/alerts`}>{t.title}</Link>
      </p>
      <Title>{t.make}</Title>
      <RuleForm />
    </>
  );
}
